import { describe, expect, it } from 'vitest'
import { type TrackColumns, Tracks } from './tracks'

type Row = [tag: string, at: number, x: number, y: number, validMs?: number, zone?: string]

function page(...rows: Row[]): TrackColumns {
  return {
    tag: rows.map(([tag]) => tag), at: rows.map(([, at]) => at), x: rows.map(([, , x]) => x), y: rows.map(([, , , y]) => y),
    accuracy: rows.map(() => 1), validMs: rows.map(([, , , , valid]) => valid ?? 30_000), zone: rows.map(([, , , , , zone]) => zone ?? ''),
  }
}

function tracks(stepMs: number, ...rows: Row[]): Tracks {
  const made = new Tracks(stepMs)
  made.append(page(...rows))
  return made
}

const xy = (made: Tracks, time: number, tag = 'a') => {
  const place = made.placeAt(tag, time)
  return place && [place.x, place.y]
}

describe('a place', () => {
  const made = tracks(0, ['a', 1000, 0, 0, 10_000], ['a', 5000, 8, 4, 3000], ['a', 60_000, 1, 1, 2000])

  it.each([
    [999, undefined], [1000, [0, 0]], [3000, [4, 2]], [5000, [8, 4]],
    // The second fix did not hold until the third began: it stays, then nobody knows.
    [7999, [8, 4]], [8000, undefined], [59_999, undefined], [60_000, [1, 1]], [61_999, [1, 1]], [62_000, undefined],
  ])('at %i is %j', (time, want) => expect(xy(made, time)).toEqual(want))

  it('is the same in whatever order it is asked', () => {
    for (const time of [62_000, 1000, 60_000, 999, 7999, 3000, 5000]) expect(xy(made, time)).toEqual(xy(tracks(0, ['a', 1000, 0, 0, 10_000], ['a', 5000, 8, 4, 3000], ['a', 60_000, 1, 1, 2000]), time))
  })

  it('of somebody unknown is none', () => expect(xy(made, 5000, 'b')).toBeUndefined())

  it('jumps when nobody could have walked', () => {
    expect(xy(tracks(0, ['a', 0, 0, 0, 9000], ['a', 1000, 100, 0]), 500)).toEqual([0, 0])
  })

  it('is found among many', () => {
    const many = tracks(0, ...Array.from({ length: 3000 }, (_, i): Row => ['a', i * 1000, i % 20, 0, 1000]))
    for (const second of [0, 2999, 7, 8, 9, 1500, 3]) expect(xy(many, second * 1000)).toEqual([second % 20, 0])
  })
})

describe('with a step', () => {
  it('the way is not lost between two steps that both have a fix', () => {
    const made = tracks(60_000, ['a', 58_000, 0, 0, 2000], ['a', 118_000, 6, 0, 2000], ['a', 239_000, 0, 0, 2000])
    expect(xy(made, 88_000)).toEqual([3, 0])
    expect(xy(made, 130_000)).toBeUndefined()
  })
})

describe('pages', () => {
  it('may overlap', () => {
    const made = tracks(0, ['a', 0, 0, 0], ['b', 0, 5, 5], ['a', 1000, 1, 0])
    made.append(page(['a', 1000, 1, 0], ['a', 0, 0, 0], ['a', 2000, 2, 0]))
    expect(xy(made, 1500)).toEqual([1.5, 0])
    expect(made.trail('a', 2000, 60_000)).toEqual([[0, 0, 1, 0, 2, 0, 2, 0]])
  })

  it('are let go of, but not what still held', () => {
    const made = tracks(0, ['a', 0, 0, 0], ['a', 1000, 1, 0], ['a', 9000, 2, 0], ['gone', 0, 0, 0, 100])
    made.dropBefore(5000)
    expect([...made.tags]).toEqual(['a'])
    expect(xy(made, 1000)).toEqual([1, 0])
    expect(xy(made, 500)).toBeUndefined()
    expect(xy(made, 5000)).toEqual([1.5, 0])
  })
})

describe('a trail', () => {
  const made = tracks(0, ['a', 0, 0, 0], ['a', 10_000, 1, 0], ['a', 20_000, 2, 0, 1000], ['a', 50_000, 5, 5], ['a', 60_000, 6, 5])

  it('ends where the tag is, and breaks where it was lost', () => {
    expect(made.trail('a', 55_000, 100_000)).toEqual([[5, 5, 5.5, 5], [0, 0, 1, 0, 2, 0]])
  })

  it('is as long as asked for', () => {
    expect(made.trail('a', 15_000, 6000)).toEqual([[1, 0, 1.5, 0]])
  })

  it.each([['a', -1], ['b', 55_000]])('of %s at %i is none', (tag, time) => expect(made.trail(tag, time, 100_000)).toEqual([]))
})
