import { afterEach, describe, expect, it } from 'vitest'
import { createApp, defineComponent, h, nextTick, shallowRef } from 'vue'
import { apiKey, createApi } from '@/api/client'
import { flushPromises } from '@/kit/data/datatest/mountSetup'
import { usePlanAt, type UsePlanAtReturn } from './usePlanAt'

const day = (n: number) => Date.UTC(2026, 0, n)
const at = shallowRef(day(1))
let asked: string[] = []
let isAway = false
let unmount: () => void = () => undefined
afterEach(() => unmount())

/** A plan that was changed on these days; what it answers says for which moment it was asked. */
async function start(changedOn: number[]): Promise<UsePlanAtReturn> {
  asked = []
  isAway = false
  const answer = (value: unknown) => new Response(JSON.stringify(value), { headers: { 'Content-Type': 'application/json' } })
  async function fetchStub(input: RequestInfo | URL): Promise<Response> {
    const { pathname, searchParams } = new URL((input as Request).url)
    // Newest first, and exact to the microsecond, as the server's are.
    if (pathname.endsWith('/versions')) return answer({ items: changedOn.map((n) => ({ at: new Date(day(n)).toISOString().replace('Z', '400Z'), version: n, by: '', what: [] })).reverse(), next: '' })
    const moment = searchParams.get('at') ?? 'now'
    asked.push(moment)
    if (isAway) return new Response('{}', { status: 503 })
    return answer({ id: 'p', name: moment, zones: [], receivers: [], walls: [] })
  }
  const given: { result?: UsePlanAtReturn } = {}
  const app = createApp(defineComponent(() => {
    given.result = usePlanAt('p', () => at.value)
    return () => h('div')
  }))
  app.provide(apiKey, createApi({ fetch: fetchStub as typeof fetch, onUnauthorised: () => undefined }))
  app.mount(document.createElement('div'))
  unmount = () => app.unmount()
  await flushPromises()
  await flushPromises()
  return given.result!
}

async function move(to: number) {
  at.value = to
  await nextTick()
  await flushPromises()
}

describe('the plan at a moment', () => {
  it('is that of the version that held then, and asked for once', async () => {
    at.value = day(12)
    const { plan, isOld } = await start([1, 10, 20])
    expect([plan.value?.name, isOld.value]).toEqual(['2026-01-10T00:00:00.001Z', true])
    await move(day(25))
    expect([plan.value?.name, isOld.value]).toEqual(['now', false])
    await move(day(5))
    await move(day(13))
    expect(plan.value?.name).toBe('2026-01-10T00:00:00.001Z')
    expect(asked).toEqual(['2026-01-10T00:00:00.001Z', 'now', '2026-01-01T00:00:00.001Z'])
  })

  it('is the first one before there was any', async () => {
    at.value = day(1)
    const { plan, isOld } = await start([5, 10])
    expect([plan.value?.name, isOld.value]).toEqual(['2026-01-05T00:00:00.001Z', true])
  })

  it.each([[[]], [[5]]])('is as it is now when it was never changed (%j)', async (changedOn) => {
    at.value = day(1)
    const { plan, isOld } = await start(changedOn)
    expect([plan.value?.name, isOld.value]).toEqual(['now', false])
  })

  it('has not failed any more once another version could be read', async () => {
    at.value = day(12)
    const { plan, failure } = await start([1, 10, 20])
    isAway = true
    await move(day(25))
    expect([plan.value?.name, failure.value]).toEqual(['2026-01-10T00:00:00.001Z', 'away'])
    isAway = false
    await move(day(5))
    expect([plan.value?.name, failure.value]).toEqual(['2026-01-01T00:00:00.001Z', undefined])
  })

  it('is read anew when it was changed since', async () => {
    at.value = day(30)
    const days = [1, 10]
    const { plan, reload } = await start(days)
    expect(plan.value?.name).toBe('now')
    days.push(20)
    at.value = day(12)
    await reload()
    expect(plan.value?.name).toBe('2026-01-10T00:00:00.001Z')
    await move(day(30))
    expect(asked).toEqual(['now', '2026-01-10T00:00:00.001Z', 'now'])
  })
})
