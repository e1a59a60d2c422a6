/** The time zones the browser knows, with the one that is set, and UTC first. */
export function timeZones(current = ''): string[] {
  const known = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : []
  return [...new Set(['UTC', ...(current ? [current] : []), ...known])]
}

/** Where this browser is. */
export function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}
