import { describe, expect, it } from 'vitest'
import { dayRange, daysAgo, keyStepMs, lastHour, momentIn, rangeOf, versionAt } from './range'

const hour = 3_600_000
const now = Date.UTC(2024, 2, 31, 9, 30, 12, 345)

describe('a range', () => {
  it('of the last hour ends now', () => {
    expect(lastHour(now)).toEqual({ from: now + 655 - hour, to: now + 655 })
  })

  it.each([['2024-03-31', 23], ['2024-10-27', 25], ['2024-06-01', 24]])('of the day %s in Berlin has %i hours', (day, hours) => {
    const { from, to } = dayRange(day, 'Europe/Berlin')
    expect((to - from) / hour).toBe(hours)
  })

  it('of yesterday is that of the zone', () => {
    const late = Date.UTC(2024, 0, 31, 22)
    expect(new Date(daysAgo(1, late, 'Europe/Moscow').from).toISOString()).toBe('2024-01-30T21:00:00.000Z')
    expect(new Date(daysAgo(1, late, 'UTC').from).toISOString()).toBe('2024-01-30T00:00:00.000Z')
  })

  it('comes from an address, there and back', () => {
    const range = dayRange('2024-03-31', 'Europe/Berlin')
    expect(rangeOf(new Date(range.from).toISOString(), new Date(range.to).toISOString(), now)).toEqual(range)
  })

  it.each([['', ''], ['x', 'y'], ['2024-01-02T00:00:00Z', '2024-01-01T00:00:00Z'], ['2020-01-01T00:00:00Z', '2024-01-01T00:00:00Z']])('%j to %j is the last hour', (from, to) => {
    expect(rangeOf(from, to, now)).toEqual(lastHour(now))
  })
})

describe('a moment', () => {
  const range = { from: 1_000_000, to: 2_000_000 }
  it.each([['', 1_000_000], ['nonsense', 1_000_000], [new Date(1_500_000).toISOString(), 1_500_000], [new Date(2_000_001).toISOString(), 1_000_000]])('of %j', (at, want) => {
    expect(momentIn(range, at)).toBe(want)
  })
})

it('an arrow key never leaves a short range at once', () => {
  expect(keyStepMs({ from: 0, to: hour }, 10, false)).toBe(10_000)
  expect(keyStepMs({ from: 0, to: hour }, 600, true)).toBe(hour / 10)
})

it('a version holds from its change on', () => {
  expect([5, 10, 15, 20, 25].map((at) => versionAt([10, 20], at))).toEqual([0, 1, 1, 2, 2])
})
