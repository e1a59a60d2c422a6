const units = [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]] as const

/** Seconds in their two largest units, as the language writes them: "2 hr 5 min". */
export function durationText(seconds: number, locale: string): string {
  if (!Number.isFinite(seconds)) return '—'
  const sign = seconds < 0 ? '−' : ''
  const whole = Math.round(Math.abs(seconds))
  const first = units.findIndex(([, size]) => whole >= size)
  if (first < 0) return write(0, 'second', locale)
  const [unit, size] = units[first] ?? ['second', 1]
  const next = units[first + 1]
  const rest = next ? Math.floor((whole % size) / next[1]) : 0
  const head = sign + write(Math.floor(whole / size), unit, locale)
  return next && rest > 0 ? `${head} ${write(rest, next[0], locale)}` : head
}

function write(count: number, unit: string, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(count)
}

/** The unit in which an axis up to `most` seconds has round figures, and its seconds. */
export function axisUnit(most: number): { unit: 'hour' | 'minute' | 'second'; seconds: number } {
  if (most >= 2 * 3600) return { unit: 'hour', seconds: 3600 }
  return most >= 120 ? { unit: 'minute', seconds: 60 } : { unit: 'second', seconds: 1 }
}

/** A figure of an axis with its unit, e.g. "2.5 hr". */
export function axisText(value: number, unit: string, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }).format(value)
}
