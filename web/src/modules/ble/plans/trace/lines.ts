import type { Bitmap } from './bitmap'

export interface Pixel {
  x: number
  y: number
}

/** The lines of a thinned picture, whose outermost pixels are light, from one end or branching to the next; a ring ends where it began. */
export function linesOf(map: Bitmap): Pixel[][] {
  const { width, bits } = map
  const walked = new Set<number>()
  const lines: number[][] = []
  const degree = (i: number) => neighbours(bits, i, width).length
  const dark: number[] = []
  bits.forEach((bit, i) => bit && dark.push(i))

  const follow = (from: number, first: number): number[] => {
    const line = [from]
    for (let before = from, now = first; ;) {
      line.push(now)
      walked.add(edge(before, now))
      const next = degree(now) === 2 ? neighbours(bits, now, width).find((other) => other !== before) : undefined
      if (next === undefined || walked.has(edge(now, next))) return line
      ;[before, now] = [now, next]
    }
  }
  const size = bits.length
  const edge = (a: number, b: number) => Math.min(a, b) * size + Math.max(a, b)
  // Ends and branchings first; what is left then are rings.
  for (const ends of [true, false]) {
    for (const i of dark) {
      if (ends && degree(i) === 2) continue
      for (const next of neighbours(bits, i, width)) if (!walked.has(edge(i, next))) lines.push(follow(i, next))
    }
  }
  return lines.map((line) => line.map((i) => ({ x: i % width, y: Math.floor(i / width) })))
}

/** Dark pixels around one. A diagonal that sides lead to as well is no way of its own. */
function neighbours(bits: Uint8Array, i: number, width: number): number[] {
  const dark = (at: number) => bits[at] === 1
  const sides = [-1, 1, -width, width].filter((step) => dark(i + step))
  const diagonals = [-width - 1, -width + 1, width - 1, width + 1].filter((step) => {
    const across = step > 0 ? (step > width ? 1 : -1) : step < -width ? -1 : 1
    const along = step > 0 ? width : -width
    return dark(i + step) && !dark(i + across) && !dark(i + along)
  })
  return [...sides, ...diagonals].map((step) => i + step)
}
