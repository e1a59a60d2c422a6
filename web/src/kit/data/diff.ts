/** A field that changed; empty or absent values are those of a new or removed thing. */
export interface Change {
  name: string
  old?: unknown
  new?: unknown
}

/** A value as one reads it: texts as they are, the rest as JSON. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Fields in which two objects differ, by path, in order of their names. */
export function changesBetween(old: unknown, now: unknown, path = ''): Change[] {
  if (isRecord(old) && isRecord(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()
    return keys.flatMap((key) => changesBetween(old[key], now[key], path ? `${path}.${key}` : key))
  }
  return JSON.stringify(old) === JSON.stringify(now) ? [] : [{ name: path, old, new: now }]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
