import { addDays, dayOf, dayStart, weekdayOf } from '@/kit/zonedTime'

export const presets = ['today', 'yesterday', 'week', 'month', 'days7', 'days30'] as const
export type Preset = (typeof presets)[number]
export const comparisons = ['previous', 'week', 'year'] as const
export type Comparison = '' | (typeof comparisons)[number]

/** Whole days of the location, both of them in it. */
export interface Days {
  from: string
  to: string
}

/** The days of a preset; weeks begin on Monday, and the present day counts. */
export function daysOf(preset: Preset, now: number, zone: string): Days {
  const today = dayOf(now, zone)
  switch (preset) {
    case 'today': return { from: today, to: today }
    case 'yesterday': return { from: addDays(today, -1), to: addDays(today, -1) }
    case 'week': return { from: addDays(today, 1 - weekdayOf(today)), to: today }
    case 'month': return { from: `${today.slice(0, 8)}01`, to: today }
    case 'days7': return { from: addDays(today, -6), to: today }
    case 'days30': return { from: addDays(today, -29), to: today }
  }
}

/** How many days there are from the first to the last, both counted. */
export function lengthOf({ from, to }: Days): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1
}

/** How finely a course over these days is drawn. */
export function stepOf(days: Days): '5m' | '15m' | '1h' | '1d' {
  const length = lengthOf(days)
  if (length <= 1) return '15m'
  return length <= 14 ? '1h' : '1d'
}

/**
 * When the steps of a course begin, milliseconds, up to now: the server leaves
 * out those in which nobody was there, and a picture without them would lie.
 */
export function axisOf(days: Days, stepS: number, zone: string, until: { now: number; known?: number }): number[] {
  const from = dayStart(days.from, zone)
  const to = Math.min(dayStart(addDays(days.to, 1), zone), until.now)
  const axis: number[] = []
  if (stepS >= 86_400) {
    for (let day = days.from; dayStart(day, zone) < to; day = addDays(day, 1)) axis.push(dayStart(day, zone))
    return axis
  }
  // Steps are full ones of the clock, which may be half an hour off the day's beginning.
  const stepMs = stepS * 1000
  const anchor = until.known ?? from
  for (let at = anchor - Math.floor((anchor - from) / stepMs) * stepMs; at < to; at += stepMs) axis.push(at)
  return axis
}

export interface Question {
  location: string
  plan: string
  zones: readonly string[]
  tags: readonly string[]
  type: string
  days: Days
}

/** A question as the server's parameters; what is not asked for is left out. */
export function parametersOf({ location, plan, zones, tags, type, days }: Question) {
  return {
    location, plan: plan || undefined, zone: zones.length > 0 ? [...zones] : undefined, tag: tags.length > 0 ? [...tags] : undefined,
    type: (type || undefined) as 'person' | 'asset' | 'vehicle' | undefined, from: days.from, to: days.to,
  }
}

export const exportFormats = ['csv', 'json', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** Where the browser saves the visits behind the figures from; the same filter holds. */
export function exportAddress(question: Question, format: ExportFormat, language: string): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parametersOf(question))) {
    for (const one of [value].flat()) if (one !== undefined) query.append(name, one)
  }
  query.set('format', format)
  query.set('lang', language)
  return `/api/v1/client/ble/visits?${query}`
}

/** How much more than before, as a share; undefined where there was nothing to compare with. */
export function changeOf(now: number, before: number | undefined): number | undefined {
  return before === undefined || before === 0 ? undefined : now / before - 1
}
