// Days and clock times of a time zone, which is seldom the browser's. A day
// there may have 23 or 25 hours, and a clock time may come twice or never.

const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  })
  formats.set(zone, made)
  return made
}

/** What clocks in the zone show, as if it were UTC: for reading fields only. */
function shown(at: number, zone: string): number {
  const part = Object.fromEntries(formatOf(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second)
}

/** The zone if this browser knows it, else UTC. */
export function knownZone(zone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    return 'UTC'
  }
}

/** The clock time in a zone as 2024-01-31T09:30, as inputs of date and time have it. */
export function localOf(at: number, zone: string): string {
  return new Date(shown(at, zone)).toISOString().slice(0, 16)
}

/** The day in a zone as 2024-01-31. */
export function dayOf(at: number, zone: string): string {
  return localOf(at, zone).slice(0, 10)
}

/**
 * The moment of a clock time such as 2024-01-31T09:30 in a zone; NaN when it is
 * none. Of one that comes twice the first; of one that never comes, the moment
 * as far after the change as it would have been.
 */
export function momentOf(local: string, zone: string): number {
  const wanted = Date.parse(`${local}Z`)
  if (Number.isNaN(wanted)) return Number.NaN
  // Offsets change at most once within these two days.
  const before = wanted - (shown(wanted - dayMs, zone) - (wanted - dayMs))
  const after = wanted - (shown(wanted + dayMs, zone) - (wanted + dayMs))
  return [before, after].sort((a, b) => a - b).find((at) => shown(at, zone) === wanted) ?? before
}

/** When a day such as 2024-01-31 begins in a zone. */
export function dayStart(day: string, zone: string): number {
  return momentOf(`${day}T00:00`, zone)
}

/** The day that many days later; earlier when negative. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}

/** From 1, Monday, to 7, Sunday. */
export function weekdayOf(day: string): number {
  return ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1
}
