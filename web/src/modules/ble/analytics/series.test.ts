import { describe, expect, it } from 'vitest'
import type { DwellRow, Occupancy } from './api'
import { knownStep, occupancySeries, tagBars, weekOf, zoneBars } from './series'

const row = (given: Partial<DwellRow>): DwellRow => ({ dwell_s: 0, outside_s: 0, visits: 1, tags: 1, ...given })

describe('zones as bars', () => {
  const rows = [row({ zone: 'a', zone_name: 'Hall', dwell_s: 60 }), row({ zone: 'desk', zone_name: 'Desk', parent: 'a', dwell_s: 40 }), row({ outside: true, dwell_s: 90 }), row({ zone: 'b', zone_name: 'Dock' })]

  it('leave out parts, which would count twice, and have a bar for outside', () => {
    expect(zoneBars(rows, undefined, 'Outside')).toEqual([{ id: 'outside', label: 'Outside', value: 90 }, { id: 'a', label: 'Hall', value: 60 }])
  })

  it('keep a zone that is empty now and was not before', () => {
    expect(zoneBars(rows, [row({ zone: 'b', dwell_s: 5 })], 'Outside').map(({ id, earlier }) => [id, earlier])).toEqual([['outside', 0], ['a', 0], ['b', 5]])
  })
})

it('tags as bars have the longest first', () => {
  expect(tagBars([row({ tag: '1', tag_name: 'A', dwell_s: 1 }), row({ tag: '2', tag_name: 'B', dwell_s: 3 }), row({ tag: '3', tag_name: 'C' })]).map(({ id }) => id)).toEqual(['2', '1'])
})

it('the week begins on Monday at midnight', () => {
  const week = weekOf([row({ weekday: 1, hour: 0, dwell_s: 7 }), row({ weekday: 7, hour: 23, dwell_s: 9 }), row({ weekday: 3, dwell_s: 5 })])
  expect([week.length, week[0], week[167], week.reduce((sum, value) => sum + value)]).toEqual([168, 7, 9, 16])
})

describe('occupancy', () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour)).toISOString()
  const zone = (id: string, points: [string, number, number][], parent: string | null = null) => ({ zone: id, zone_name: id, zone_number: 1, color: '', parent, points })
  const occupancy = { step_s: 3600, from: at(0), to: at(3), zones: [zone('few', [[at(0), 0.5, 1]]), zone('many', [[at(0), 2, 3], [at(2), 4, 5]]), zone('part', [[at(0), 9, 9]], 'many')] } as unknown as Occupancy
  const axis = [0, 1, 2].map((hour) => Date.parse(at(hour)))

  it('is zero where the server left a step out, and has the fullest first', () => {
    expect(occupancySeries(occupancy, axis, 6)).toEqual([{ id: 'many', name: 'many', values: [2, 0, 4] }, { id: 'few', name: 'few', values: [0.5, 0, 0] }])
  })

  it('has no more curves than can be told apart', () => expect(occupancySeries(occupancy, axis, 1)).toHaveLength(1))

  it('knows a step of the server', () => {
    expect(knownStep(occupancy)).toBe(axis[0])
    expect(knownStep({ ...occupancy, zones: [] })).toBeUndefined()
  })
})
