import { addDays, dayOf, dayStart } from '@/kit/zonedTime'

/** A range of time in milliseconds; `to` is not in it. */
export interface Range {
  from: number
  to: number
}

const hourMs = 3_600_000
/** The server answers about no more at once. */
export const longestMs = 400 * 24 * hourMs

/** The hour that ends now, to the full second. */
export function lastHour(now: number): Range {
  const to = Math.ceil(now / 1000) * 1000
  return { from: to - hourMs, to }
}

/** A whole day of a time zone; it may have 23 or 25 hours. */
export function dayRange(day: string, zone: string): Range {
  return { from: dayStart(day, zone), to: dayStart(addDays(day, 1), zone) }
}

/** Today (0), yesterday (1) and so on. */
export function daysAgo(days: number, now: number, zone: string): Range {
  return dayRange(addDays(dayOf(now, zone), -days), zone)
}

/** What an address says, made usable: the last hour for nothing or nonsense. */
export function rangeOf(from: string, to: string, now: number): Range {
  const range = { from: Date.parse(from), to: Date.parse(to) }
  return range.to > range.from && range.to - range.from <= longestMs ? range : lastHour(now)
}

/** A moment of an address within its range: the range's beginning for nothing, or for a moment outside. */
export function momentIn(range: Range, at: string): number {
  const moment = Date.parse(at)
  return moment >= range.from && moment <= range.to ? moment : range.from
}

/** How far an arrow key goes: what feels like a step at any speed, and never over the whole range. */
export function keyStepMs(range: Range, speed: number, isLarge: boolean): number {
  const step = Math.max(5000, speed * 1000) * (isLarge ? 6 : 1)
  return Math.min(step, (range.to - range.from) / 10)
}

/** The place in a sorted list of changes at a moment: 0 before the first. */
export function versionAt(changes: readonly number[], at: number): number {
  let version = 0
  while (version < changes.length && (changes[version] as number) <= at) version++
  return version
}
