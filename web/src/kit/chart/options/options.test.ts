import { describe, expect, it } from 'vitest'
import { paletteOf } from '../palette'
import type { Flow, Look } from '../types'
import { areaOption } from './area'
import { barsOption } from './bars'
import { flowOption } from './flow'

const look: Look = { palette: paletteOf(false), locale: 'en', narrow: false }
type Series = { name?: string; data: unknown[]; links?: { source: string; target: string; value: number }[] }
const series = (option: { series?: unknown }) => option.series as Series[]
const tip = (option: { tooltip?: unknown }, given: unknown) => (option.tooltip as { formatter: (given: unknown) => string }).formatter(given)

describe('bars', () => {
  const bars = [{ id: 'a', label: 'Hall', value: 7200, earlier: 3600 }, { id: 'b', label: '{x|Dock}', value: 60, earlier: 0 }]
  const option = barsOption({ bars, measure: 'duration', name: 'Time', earlierName: 'Before', lying: true }, look)

  it('are drawn in the unit of their axis', () => {
    expect(series(option).map(({ data }) => data)).toEqual([
      [{ id: 'a', value: 2 }, { id: 'b', value: 60 / 3600 }],
      [{ id: 'a', value: 1 }, { id: 'b', value: 0 }],
    ])
  })

  it('say both periods in full', () => {
    expect(tip(option, [{ dataIndex: 0 }])).toBe('Hall\nTime: 2 hr\nBefore: 1 hr')
    expect(tip(option, [])).toBe('')
  })

  it('have no earlier period when none was asked for', () => {
    expect(series(barsOption({ bars: [{ id: 'a', label: 'A', value: 1 }], measure: 'count', name: 'n', earlierName: '', lying: false }, look))).toHaveLength(1)
  })

  it('stand on an empty chart as well', () => {
    expect(series(barsOption({ bars: [], measure: 'count', name: 'n', earlierName: '', lying: false }, look))[0]?.data).toEqual([])
  })
})

describe('curves', () => {
  const option = areaOption({ labels: ['10:00', '11:00'], measure: 'count', series: [{ id: 'a', name: 'Hall', values: [1.5, null] }, { id: 'b', name: 'Dock', values: [0, 3] }] }, look)

  it('have a gap where nothing is known', () => {
    expect(series(option)[0]?.data).toEqual([{ id: 'a', value: 1.5 }, null])
    expect(tip(option, [{ dataIndex: 1 }])).toBe('11:00\nHall: —\nDock: 3')
  })

  it('differ by more than their colour', () => {
    const types = series(option).map((one) => (one as unknown as { lineStyle: { type: unknown } }).lineStyle.type)
    expect(new Set(types).size).toBe(types.length)
  })
})

describe('streams', () => {
  const flows: Flow[] = [
    { from: 'a', to: 'b', step: 0, count: 5 }, { from: 'b', to: 'a', step: 1, count: 3 }, { from: 'b', to: 'a', step: 0, count: 2 }, { from: 'a:1', to: 'b', step: 1, count: 1 },
  ]
  const option = flowOption({ flows, nameOf: (place) => place.toUpperCase(), countText: (n) => `${n} times` }, look)

  it('only go to the right, whatever the routes do', () => {
    for (const { source, target } of series(option)[0]!.links!) expect(Number.parseInt(target, 10)).toBe(Number.parseInt(source, 10) + 1)
  })

  it('have each place of a step once', () => {
    const names = series(option)[0]!.data.map((node) => (node as { name: string }).name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.sort()).toEqual(['0:a', '0:b', '1:a', '1:a:1', '1:b', '2:a', '2:b'])
  })

  it('say where they lead', () => {
    expect(tip(option, { dataType: 'edge', data: { source: '1:a:1', target: '2:b' }, value: 4 })).toBe('A:1 → B\n4 times')
    expect(tip(option, { dataType: 'node', data: { name: '1:a' }, value: 5 })).toBe('A\n5 times')
  })
})
