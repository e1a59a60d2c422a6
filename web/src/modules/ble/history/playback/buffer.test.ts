import { describe, expect, it } from 'vitest'
import { flushPromises as flush } from '@/kit/data/datatest/mountSetup'
import { TrackBuffer, type TrackPage, type TrackRequest } from './buffer'

const minute = 60_000

/** A tag that walks a metre a second, and a server that answers with it, `perPage` fixes at once. */
function walk(stepMs = 0, perPage = 10_000, to = 60 * minute) {
  const asked: TrackRequest[] = []
  let changes = 0
  let failing = false
  const load = async (request: TrackRequest): Promise<TrackPage> => {
    asked.push(request)
    if (failing) throw new Error('away')
    const all: number[] = []
    // As the server does: what began before and holds into the window comes first.
    for (let at = Math.max(0, request.from - 1000); at < request.to; at += 1000) all.push(at)
    const skip = Number(request.cursor || 0)
    const part = all.slice(skip, skip + perPage)
    return {
      columns: { tag: part.map(() => 'a'), at: part, x: part.map((at) => at / 1000), y: part.map(() => 0), accuracy: part.map(() => 1), zone: part.map(() => ''), validMs: part.map(() => 2000) },
      next: skip + perPage < all.length ? String(skip + perPage) : '',
    }
  }
  const buffer = new TrackBuffer({ load, from: 0, to, stepMs, onChange: () => changes++ })
  return { buffer, asked, changes: () => changes, fail: (now: boolean) => (failing = now) }
}

describe('TrackBuffer', () => {
  it('asks for little first, so that playing begins at once', async () => {
    const { buffer, asked } = walk()
    expect(buffer.has(0)).toBe(false)
    buffer.want(0, 30_000)
    await flush()
    expect(asked).toEqual([{ from: 0, to: minute, cursor: '' }])
    expect([buffer.has(0), buffer.has(minute - 1), buffer.has(minute)]).toEqual([true, true, false])
  })

  it('asks no more than is wanted, and one thing at a time', async () => {
    const { buffer, asked } = walk()
    buffer.want(0, 10 * minute)
    buffer.want(0, 10 * minute)
    await flush()
    expect(asked.length).toBe(1)
    buffer.want(0, 30_000)
    await flush()
    expect(asked.length).toBe(1)
  })

  it('takes larger steps where there is little, up to the end', async () => {
    const { buffer, asked } = walk()
    for (let i = 0; i < 10; i++) {
      buffer.want(0, 60 * minute)
      await flush()
    }
    expect(buffer.until).toBe(60 * minute)
    expect(asked.map(({ from, to }) => to - from).slice(0, 3)).toEqual([minute, 4 * minute, 16 * minute])
    expect(asked.length).toBeLessThan(6)
    expect(buffer.has(60 * minute)).toBe(true)
    for (let second = 0; second < 3600; second += 7) expect(buffer.tracks.placeAt('a', second * 1000 + 500)?.x).toBeCloseTo(second + 0.5)
  })

  it('reads every page of a window', async () => {
    const { buffer, asked } = walk(0, 25)
    buffer.want(0, 1)
    for (let i = 0; i < 5; i++) await flush()
    expect(asked.length).toBe(3)
    expect(buffer.tracks.placeAt('a', 59_000)?.x).toBe(59)
  })

  it('starts over after a jump, at a full step', async () => {
    const { buffer, asked } = walk(30_000)
    buffer.want(0, minute)
    await flush()
    buffer.want(20 * minute + 7000, minute)
    await flush()
    expect(asked.at(-1)?.from).toBe(20 * minute)
    expect([buffer.has(0), buffer.has(20 * minute + 7000)]).toEqual([false, true])
  })

  it('forgets the answer to a question that a jump overtook', async () => {
    const { buffer } = walk()
    buffer.want(0, minute)
    buffer.want(30 * minute, minute)
    for (let i = 0; i < 3; i++) await flush()
    expect(buffer.tracks.placeAt('a', 1000)).toBeUndefined()
    expect(buffer.tracks.placeAt('a', 30 * minute)?.x).toBe(1800)
  })

  it('says a failure once, and goes on when asked to', async () => {
    const { buffer, asked, changes, fail } = walk()
    fail(true)
    buffer.want(0, minute)
    await flush()
    buffer.want(0, minute)
    await flush()
    expect([asked.length, changes()]).toEqual([1, 1])
    expect(buffer.failure).toBeInstanceOf(Error)
    fail(false)
    buffer.retry()
    buffer.want(0, minute)
    await flush()
    expect(buffer.has(0)).toBe(true)
  })
})
