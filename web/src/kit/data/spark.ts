/** The path of values over a box of pixels; empty for fewer than two. A flat line lies in the middle. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  const known = values.filter(Number.isFinite)
  if (known.length < 2) return ''
  const low = Math.min(...known)
  const span = Math.max(...known) - low
  const edge = 2
  const y = (value: number) => (span === 0 ? height / 2 : height - edge - ((value - low) / span) * (height - 2 * edge))
  return known.map((value, i) => `${i === 0 ? 'M' : 'L'}${round((i / (known.length - 1)) * width)} ${round(y(value))}`).join('')
}

const round = (value: number) => Math.round(value * 10) / 10
