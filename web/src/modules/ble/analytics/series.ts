import type { AreaSeries, Bar } from '@/kit/chart/types'
import type { DwellRow, Occupancy } from './api'

/** The id of the place that is no zone. */
export const outside = 'outside'

/** Time per zone as bars, the longest first; parts of zones are in their whole already. */
export function zoneBars(rows: readonly DwellRow[], earlier: readonly DwellRow[] | undefined, outsideName: string): Bar[] {
  const before = new Map((earlier ?? []).map((row) => [idOf(row), row.dwell_s]))
  return rows
    .filter(({ parent }) => !parent)
    .map((row) => ({ id: idOf(row), label: row.outside ? outsideName : (row.zone_name ?? ''), value: row.dwell_s, ...(earlier && { earlier: before.get(idOf(row)) ?? 0 }) }))
    .filter(({ value, earlier: old }) => value > 0 || (old ?? 0) > 0)
    .sort((a, b) => b.value - a.value)
}

const idOf = ({ zone }: DwellRow) => zone ?? outside

/** Time per tag as bars, the longest first: in zones only, or heard at all. */
export function tagBars(rows: readonly DwellRow[]): Bar[] {
  return rows.map(({ tag, tag_name, dwell_s }) => ({ id: tag ?? '', label: tag_name ?? '', value: dwell_s })).filter(({ value }) => value > 0).sort((a, b) => b.value - a.value)
}

/** Time per hour of the week, Monday 0:00 first. */
export function weekOf(rows: readonly DwellRow[]): number[] {
  const week = new Array<number>(168).fill(0)
  for (const { weekday, hour, dwell_s } of rows) {
    if (weekday !== undefined && hour !== undefined && hour !== null) week[(weekday - 1) * 24 + hour] = dwell_s
  }
  return week
}

type Point = readonly [at: string | number, mean: number, most: number]

/** The fullest zones as curves over an axis; a step that the server left out had nobody. */
export function occupancySeries({ zones }: Occupancy, axis: readonly number[], most: number): AreaSeries[] {
  const curves = zones.filter(({ parent }) => !parent).map(({ zone, zone_name, points }) => {
    const known = new Map((points as unknown as Point[]).map(([at, mean]) => [new Date(at).getTime(), mean]))
    const values = axis.map((at) => known.get(at) ?? 0)
    return { id: zone, name: zone_name, values, sum: values.reduce((sum, value) => sum + value, 0) }
  })
  return curves.sort((a, b) => b.sum - a.sum).slice(0, most).map(({ id, name, values }) => ({ id, name, values }))
}

/** A moment that the server's steps begin at, if there is any. */
export function knownStep({ zones }: Occupancy): number | undefined {
  const first = (zones[0]?.points[0] as unknown as Point | undefined)?.[0]
  return first === undefined ? undefined : new Date(first).getTime()
}
