import { describe, expect, it } from 'vitest'
import { dayStart, localOf } from '../zonedTime'
import { lanesOf, type Stay, ticksOf } from './timeline'

const stay = (lane: string, from: number, to: number): Stay => ({ id: `${lane}${from}`, lane, from, to, open: false })

describe('lanesOf', () => {
  it('cuts to the range and leaves out what is not in it', () => {
    const [a, ...rest] = lanesOf([stay('a', -50, 20), stay('a', 90, 400), stay('b', 100, 120), stay('c', -9, 0)], 0, 100)
    expect(rest).toEqual([])
    expect(a?.stays.map(({ from, to }) => [from, to])).toEqual([[0, 20], [90, 100]])
    expect(a?.totalMs).toBe(30)
  })

  it('has the first entered on top', () => {
    expect(lanesOf([stay('late', 5, 6), stay('early', 1, 2), stay('late', 0.5, 0.7)], 0, 10).map(({ id }) => id)).toEqual(['late', 'early'])
  })
})

describe('ticksOf', () => {
  const hours = (day: string, next: string, zone: string) => ticksOf(dayStart(day, zone), dayStart(next, zone), zone, 8).map((at) => localOf(at, zone).slice(5))

  it('are full hours of the zone, over its midnight', () => {
    expect(hours('2024-01-31', '2024-02-01', 'Asia/Kathmandu')).toEqual(['01-31T00:00', '01-31T03:00', '01-31T06:00', '01-31T09:00', '01-31T12:00', '01-31T15:00', '01-31T18:00', '01-31T21:00', '02-01T00:00'])
  })

  it.each([['2024-03-31', '2024-04-01'], ['2024-10-27', '2024-10-28']])('are the same clock times when the clock changes, %s', (day, next) => {
    expect(hours(day, next, 'Europe/Berlin').map((at) => at.slice(6))).toEqual(['00:00', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '00:00'])
  })

  it('leave out a time that the clock leaves out', () => {
    const zone = 'Europe/Berlin'
    const from = dayStart('2024-03-31', zone)
    expect(ticksOf(from, from + 5 * 3_600_000, zone, 8).map((at) => localOf(at, zone).slice(11))).toEqual(['00:00', '01:00', '03:00', '04:00', '05:00', '06:00'])
  })

  it('are finer for an hour', () => {
    const from = Date.UTC(2024, 0, 31, 20, 7)
    expect(ticksOf(from, from + 3_600_000, 'Asia/Kathmandu', 8).map((at) => localOf(at, 'Asia/Kathmandu').slice(11))).toEqual(['02:00', '02:10', '02:20', '02:30', '02:40', '02:50'])
  })

  it('are few however long the range is', () => {
    for (const days of [1, 3, 10, 40, 400]) {
      const ticks = ticksOf(0, days * 86_400_000, 'UTC', 8)
      expect(ticks.length).toBeGreaterThan(2)
      expect(ticks.length).toBeLessThan(12)
    }
  })
})
