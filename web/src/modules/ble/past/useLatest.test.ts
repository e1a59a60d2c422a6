import { afterEach, describe, expect, it } from 'vitest'
import { nextTick, shallowRef } from 'vue'
import { flushPromises, mountSetup } from '@/kit/data/datatest/mountSetup'
import { useLatest, type UseLatestReturn } from './useLatest'

const open = new Map<string, { resolve: (text: string) => void; reject: (error: Error) => void }>()
const query = shallowRef<string>()
let unmount: () => void = () => undefined

async function start(first?: string): Promise<UseLatestReturn<string>> {
  query.value = first
  open.clear()
  const mounted = await mountSetup('/', () => useLatest(() => query.value, (asked) => new Promise<string>((resolve, reject) => open.set(asked, { resolve, reject }))))
  unmount = mounted.unmount
  return mounted.result
}
afterEach(() => unmount())

async function ask(next: string | undefined) {
  query.value = next
  await nextTick()
}

describe('useLatest', () => {
  it('gives the answer to the newest question, whichever comes last', async () => {
    const { data, state } = await start('a')
    await ask('b')
    open.get('b')!.resolve('answer b')
    await flushPromises()
    open.get('a')!.resolve('answer a')
    await flushPromises()
    expect([data.value, state.value]).toEqual(['answer b', 'ready'])
  })

  it('keeps the old answer while it asks, and says that it does', async () => {
    const { data, state } = await start('a')
    open.get('a')!.resolve('answer a')
    await flushPromises()
    await ask('b')
    expect([data.value, state.value]).toEqual(['answer a', 'loading'])
  })

  it('says why there is none, and asks again when told to', async () => {
    const { data, state, error, reload } = await start('a')
    open.get('a')!.reject(new Error('away'))
    await flushPromises()
    expect([state.value, (error.value as Error).message]).toEqual(['failed', 'away'])
    const again = reload()
    open.get('a')!.resolve('answer a')
    await again
    expect([data.value, state.value]).toEqual(['answer a', 'ready'])
  })

  it('asks nothing without a question', async () => {
    const { data } = await start()
    expect(open.size).toBe(0)
    await ask('a')
    open.get('a')!.resolve('answer a')
    await flushPromises()
    await ask(undefined)
    expect(data.value).toBeUndefined()
  })
})
