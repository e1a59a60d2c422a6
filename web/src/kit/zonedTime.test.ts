import { describe, expect, it } from 'vitest'
import { addDays, dayOf, dayStart, knownZone, localOf, momentOf, weekdayOf } from './zonedTime'

const hour = 3_600_000
const iso = (at: number) => new Date(at).toISOString()

describe('a clock time in a zone', () => {
  it.each([
    ['2024-01-31T09:30', 'Europe/Moscow', '2024-01-31T06:30:00.000Z'],
    ['2024-01-31T09:30', 'Asia/Kathmandu', '2024-01-31T03:45:00.000Z'],
    ['2024-07-01T00:00', 'America/New_York', '2024-07-01T04:00:00.000Z'],
  ])('%s in %s is %s', (local, zone, want) => {
    expect(iso(momentOf(local, zone))).toBe(want)
    expect(localOf(momentOf(local, zone), zone)).toBe(local)
  })

  it('that comes twice is the first of them', () => {
    expect(iso(momentOf('2024-10-27T02:30', 'Europe/Berlin'))).toBe('2024-10-27T00:30:00.000Z')
  })

  it('that never comes is as far after the change', () => {
    expect(localOf(momentOf('2024-03-31T02:30', 'Europe/Berlin'), 'Europe/Berlin')).toBe('2024-03-31T03:30')
  })

  it('that is none is not a number', () => expect(momentOf('yesterday', 'UTC')).toBeNaN())

  it('survives hours of a whole year, there and back', () => {
    for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2025, 0, 1); at += 31 * hour) {
        expect(localOf(momentOf(localOf(at, zone), zone), zone), `${zone} ${iso(at)}`).toBe(localOf(at, zone))
      }
    }
  })
})

describe('a day', () => {
  const length = (day: string, zone: string) => (dayStart(addDays(day, 1), zone) - dayStart(day, zone)) / hour

  it.each([
    ['2024-03-31', 'Europe/Berlin', 23], ['2024-10-27', 'Europe/Berlin', 25], ['2024-10-28', 'Europe/Berlin', 24],
    ['2024-10-27', 'Europe/Moscow', 24], ['2024-04-07', 'Australia/Lord_Howe', 24.5], ['2018-11-04', 'America/Sao_Paulo', 23],
  ])('%s in %s has %d hours', (day, zone, hours) => expect(length(day, zone)).toBe(hours))

  it('is that of the zone, not of the browser', () => {
    expect(dayOf(Date.UTC(2024, 0, 31, 22), 'Europe/Moscow')).toBe('2024-02-01')
    expect(dayOf(Date.UTC(2024, 0, 31, 2), 'America/New_York')).toBe('2024-01-30')
  })

  it('counts over the ends of months and years', () => {
    expect([addDays('2024-02-28', 1), addDays('2024-02-29', 1), addDays('2024-01-01', -1)]).toEqual(['2024-02-29', '2024-03-01', '2023-12-31'])
  })

  it('is one of the week', () => expect(['2024-01-01', '2024-01-07'].map(weekdayOf)).toEqual([1, 7]))
})

it('a zone that this browser does not know counts as UTC', () => {
  expect([knownZone('Europe/Berlin'), knownZone('Mars/Olympus')]).toEqual(['Europe/Berlin', 'UTC'])
})
