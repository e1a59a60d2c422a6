import type { Point } from './model'

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)

/** Twice the signed area of the triangle; the sign tells on which side of ab c lies. */
const side = (a: Point, b: Point, c: Point): number => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

/** Square metres, whichever way around the corners go. */
export function area(polygon: readonly Point[]): number {
  const twice = polygon.reduce((sum, a, i) => {
    const b = polygon[(i + 1) % polygon.length] as Point
    return sum + a.x * b.y - b.x * a.y
  }, 0)
  return Math.abs(twice) / 2
}

/** The point of the stretch ab that is nearest to p. */
export function nearestOn(a: Point, b: Point, p: Point): Point {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length))
  return { x: a.x + t * dx, y: a.y + t * dy }
}

export function contains(polygon: readonly Point[], p: Point): boolean {
  let inside = false
  polygon.forEach((a, i) => {
    const b = polygon[(i + 1) % polygon.length] as Point
    if (a.y > p.y !== b.y > p.y && p.x < a.x + ((p.y - a.y) / (b.y - a.y)) * (b.x - a.x)) inside = !inside
  })
  return inside
}

/** Where two stretches cross or touch; of stretches along one another, an end that they share. */
export function meeting(a: Point, b: Point, c: Point, d: Point): Point | undefined {
  const [c1, d1, a1, b1] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)]
  if (c1 === 0 && d1 === 0) return [c, d].find((p) => isBetween(a, b, p)) ?? [a, b].find((p) => isBetween(c, d, p))
  if (c1 * d1 > 0 || a1 * b1 > 0) return undefined
  const t = a1 / (a1 - b1)
  return { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }
}

const isBetween = (a: Point, b: Point, p: Point) =>
  p.x >= Math.min(a.x, b.x) && p.x <= Math.max(a.x, b.x) && p.y >= Math.min(a.y, b.y) && p.y <= Math.max(a.y, b.y)

export interface Crossing {
  at: Point
  /** The two edges, by the number of their first corner, from 0. */
  edges: [number, number]
}

/** Where the border of a polygon meets itself other than in its corners. */
export function crossings(polygon: readonly Point[]): Crossing[] {
  const found: Crossing[] = []
  const n = polygon.length
  const corner = (i: number) => polygon[i % n] as Point
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const where = j === i + 1 || (i === 0 && j === n - 1) ? folded(corner, i, j, n) : meeting(corner(i), corner(i + 1), corner(j), corner(j + 1))
      if (where) found.push({ at: where, edges: [i, j] })
    }
  }
  return found
}

/** Neighbours share a corner; they cross only when one runs back along the other. */
function folded(corner: (i: number) => Point, i: number, j: number, n: number): Point | undefined {
  const [before, shared, after] = j === i + 1 ? [corner(i), corner(j), corner(j + 1)] : [corner(j), corner(i), corner(i + 1)]
  if (n < 3 || side(before, shared, after) !== 0) return undefined
  const isBack = (before.x - shared.x) * (after.x - shared.x) + (before.y - shared.y) * (after.y - shared.y) > 0
  return isBack || distance(before, shared) === 0 ? shared : undefined
}

/** Smallest rectangle around the points. */
export function boxOf(points: readonly Point[]): { min: Point; max: Point } {
  return points.reduce(
    ({ min, max }, p) => ({ min: { x: Math.min(min.x, p.x), y: Math.min(min.y, p.y) }, max: { x: Math.max(max.x, p.x), y: Math.max(max.y, p.y) } }),
    { min: { x: Infinity, y: Infinity }, max: { x: -Infinity, y: -Infinity } },
  )
}
