import { afterEach, describe, expect, it } from 'vitest'
import { flushPromises, mountSetup } from '@/kit/data/datatest/mountSetup'
import { lastHour } from '../playback/range'
import { mostTags, useHistoryAddress } from './useHistoryAddress'

const openedAt = Date.UTC(2026, 10, 22, 1)
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
let unmount: () => void = () => undefined
afterEach(() => unmount())

async function open(path: string) {
  const mounted = await mountSetup(path, () => useHistoryAddress(openedAt))
  unmount = mounted.unmount
  return mounted
}

describe('the address of the history', () => {
  it('without anything is the last hour', async () => {
    const { result } = await open('/history/l/p')
    expect(result.state.value).toEqual({ range: lastHour(openedAt), at: lastHour(openedAt).from, speed: 10, trailMin: 1, tags: [], type: '', heat: false, tag: '', panel: 'tags' })
  })

  it('holds all that is set, and gives it back to whoever opens it', async () => {
    const first = await open('/history/l/p')
    const set = {
      range: { from: openedAt - 86_400_000, to: openedAt }, speed: 60 as const, trailMin: 0, tags: [id(1), id(2)], type: 'person', heat: true, tag: id(1), panel: 'day' as const,
    }
    first.result.set(set)
    first.result.set({ at: openedAt - 5000 })
    await flushPromises()
    const link = first.router.currentRoute.value.fullPath
    first.unmount()
    const second = await open(link)
    expect(second.result.state.value).toEqual({ ...set, at: openedAt - 5000 })
  })

  it('begins a new range at its beginning', async () => {
    const { result } = await open(`/history/l/p?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z&at=2026-11-20T10:00:00Z`)
    expect(result.state.value.at).toBe(Date.UTC(2026, 10, 20, 10))
    result.set({ range: { from: Date.UTC(2026, 10, 20, 9), to: Date.UTC(2026, 10, 20, 11) } })
    expect(result.state.value.at).toBe(Date.UTC(2026, 10, 20, 9))
  })

  it('does not believe everything', async () => {
    const many = Array.from({ length: mostTags + 5 }, (_, n) => id(n))
    const { result } = await open(`/history/l/p?from=x&speed=1000000&trail=-1&tags=${['evil', ...many].join(',')}&tag=<b>&type=ghost&heat=1&panel=x`)
    expect(result.state.value).toEqual({ range: lastHour(openedAt), at: lastHour(openedAt).from, speed: 10, trailMin: 1, tags: many.slice(0, mostTags), type: '', heat: false, tag: '', panel: 'tags' })
  })
})
