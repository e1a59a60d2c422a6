import { describe, expect, it } from 'vitest'
import { addDays, dayStart, localOf } from '@/kit/zonedTime'
import { axisOf, changeOf, daysOf, exportAddress, lengthOf, parametersOf, stepOf } from './question'

const berlin = 'Europe/Berlin'
// Thursday, 29 February 2024, 23:30 in London and the next day in Berlin.
const now = Date.UTC(2024, 1, 29, 23, 30)
const far = { now: Number.POSITIVE_INFINITY }

describe('a preset', () => {
  it.each([
    ['today', '2024-03-01', '2024-03-01'], ['yesterday', '2024-02-29', '2024-02-29'], ['week', '2024-02-26', '2024-03-01'],
    ['month', '2024-03-01', '2024-03-01'], ['days7', '2024-02-24', '2024-03-01'], ['days30', '2024-02-01', '2024-03-01'],
  ] as const)('%s is from %s to %s where it is already the next day', (preset, from, to) => expect(daysOf(preset, now, berlin)).toEqual({ from, to }))

  it('begins its week on Monday, on a Sunday too', () => {
    expect(daysOf('week', Date.UTC(2024, 2, 3, 12), 'UTC').from).toBe('2024-02-26')
    expect(daysOf('week', Date.UTC(2024, 2, 4, 12), 'UTC').from).toBe('2024-03-04')
  })

  it('has as many days as it says, also over a change of the clocks', () => {
    for (let day = 0; day < 400; day += 5) {
      const at = dayStart(addDays('2024-01-01', day), berlin) + 3_600_000
      expect([lengthOf(daysOf('days7', at, berlin)), lengthOf(daysOf('days30', at, berlin))]).toEqual([7, 30])
    }
  })
})

describe('a course', () => {
  const day = (from: string, to = from) => ({ from, to })

  it.each([['2024-01-01', '15m'], ['2024-01-02', '1h'], ['2024-01-14', '1h'], ['2024-01-15', '1d']])('up to %s has steps of %s', (to, step) => {
    expect(stepOf(day('2024-01-01', to))).toBe(step)
  })

  it.each([['2024-03-31', 92], ['2024-10-27', 100], ['2024-06-01', 96]])('of %s has %i quarters of an hour', (date, quarters) => {
    expect(axisOf(day(date), 900, berlin, far)).toHaveLength(quarters)
  })

  it('of days has each once, each at its midnight', () => {
    const axis = axisOf(day('2024-03-29', '2024-04-02'), 86_400, berlin, far)
    expect(axis.map((at) => localOf(at, berlin))).toEqual(['03-29', '03-30', '03-31', '04-01', '04-02'].map((date) => `2024-${date}T00:00`))
  })

  it('ends now', () => {
    const axis = axisOf(day('2024-06-01'), 3600, 'UTC', { now: Date.UTC(2024, 5, 1, 9, 30) })
    expect(axis).toHaveLength(10)
  })

  it('keeps to the steps of the server where the zone is half an hour off', () => {
    const known = Date.UTC(2024, 5, 1, 7)
    const axis = axisOf(day('2024-06-01'), 3600, 'Asia/Kolkata', { now: far.now, known })
    expect(axis).toContain(known)
    expect(axis[0]).toBeGreaterThanOrEqual(dayStart('2024-06-01', 'Asia/Kolkata'))
  })
})

describe('the parameters', () => {
  const question = { location: 'l', plan: '', zones: ['z1', 'z2'], tags: [], type: '', days: { from: '2024-01-01', to: '2024-01-31' } }

  it('leave out what is not asked for', () => {
    expect(JSON.parse(JSON.stringify(parametersOf(question)))).toEqual({ location: 'l', zone: ['z1', 'z2'], from: '2024-01-01', to: '2024-01-31' })
  })

  it('are those of the export as well', () => {
    expect(exportAddress(question, 'parquet', 'ru')).toBe('/api/v1/client/ble/visits?location=l&zone=z1&zone=z2&from=2024-01-01&to=2024-01-31&format=parquet&lang=ru')
  })
})

it.each([[3, 2, 0.5], [1, 2, -0.5], [0, 2, -1], [3, 0, undefined], [3, undefined, undefined]])('from %d to %j is a change of %j', (after, before, want) => {
  expect(changeOf(after, before)).toBe(want)
})
