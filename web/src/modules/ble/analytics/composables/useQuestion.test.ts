import { afterEach, describe, expect, it } from 'vitest'
import { flushPromises, mountSetup } from '@/kit/data/datatest/mountSetup'
import { useQuestion } from './useQuestion'

const now = Date.UTC(2026, 10, 22, 1)
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
let unmount: () => void = () => undefined
afterEach(() => unmount())

async function open(path: string) {
  const mounted = await mountSetup(path, () => useQuestion('place', 'Europe/Moscow', now))
  unmount = mounted.unmount
  return mounted
}

describe('the address of the analytics', () => {
  it('without anything asks about the last seven days', async () => {
    const { result } = await open('/analytics/place')
    expect(result.question.value).toEqual({ location: 'place', plan: '', zones: [], tags: [], type: '', days: { from: '2026-11-16', to: '2026-11-22' } })
    expect([result.preset.value, result.compare.value, result.tab.value]).toEqual(['days7', '', 'overview'])
  })

  it('gives back what was set, to whoever opens it', async () => {
    const first = await open('/analytics/place')
    first.result.filters.set({ plan: id(1), zone: `${id(2)},${id(3)}`, tag: id(4), type: 'person', compare: 'year', tab: 'routes' })
    first.result.setDays({ from: '2026-03-29', to: '2026-03-31' })
    await flushPromises()
    const { question } = first.result
    const link = first.router.currentRoute.value.fullPath
    first.unmount()
    const second = await open(link)
    expect(second.result.question.value).toEqual(question.value)
    expect(second.result.question.value).toMatchObject({ plan: id(1), zones: [id(2), id(3)], tags: [id(4)], type: 'person', days: { from: '2026-03-29', to: '2026-03-31' } })
    expect([second.result.compare.value, second.result.tab.value, second.result.preset.value]).toEqual(['year', 'routes', ''])
  })

  it('forgets own days when a preset is chosen', async () => {
    const { result } = await open('/analytics/place?from=2026-01-01&to=2026-01-02')
    result.setDays('yesterday')
    expect(result.question.value.days).toEqual({ from: '2026-11-21', to: '2026-11-21' })
  })

  it.each(['from=2026-02-30&to=2026-03-01', 'from=2026-03-02&to=2026-03-01', 'from=2026-03-02', 'zone=x&tag=%3Cb%3E&plan=1&type=ghost&range=ever&compare=me&tab=secret'])('does not believe %s', async (query) => {
    const { result } = await open(`/analytics/place?${query}`)
    expect(result.question.value).toEqual({ location: 'place', plan: '', zones: [], tags: [], type: '', days: { from: '2026-11-16', to: '2026-11-22' } })
  })

  it('leads from a figure to the rows behind it', async () => {
    const { result } = await open(`/analytics/place?type=person&range=days30`)
    result.showVisits({ zone: id(1), tag: id(2), days: { from: '2026-11-20', to: '2026-11-20' } })
    expect(result.tab.value).toBe('visits')
    expect(result.question.value).toMatchObject({ zones: [id(1)], tags: [id(2)], type: 'person', days: { from: '2026-11-20', to: '2026-11-20' } })
  })
})
