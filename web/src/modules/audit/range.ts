/** The days of a filter as moments: from the first one's beginning to the last one's end, in the browser's time zone. */
export function rangeOf(from: string, to: string): { from?: string; to?: string } {
  return { from: momentOf(from, 0), to: momentOf(to, 1) }
}

function momentOf(day: string, daysLater: number): string | undefined {
  const [year, month, date] = day.split('-').map(Number)
  if (year === undefined || month === undefined || date === undefined) return undefined
  // Not by adding 24 hours: days of a clock change are shorter or longer.
  return new Date(year, month - 1, date + daysLater).toISOString()
}
