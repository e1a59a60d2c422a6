import { at, edgesOf, type Item, type Point } from './model'
import { distance, meeting, nearestOn } from './polygon'

/** What a point was drawn to, in the order in which it counts. */
export type Snapped = 'corner' | 'crossing' | 'edge' | 'angle' | 'grid' | 'none'

export interface SnapTo {
  /** What is there already. */
  items: readonly Pick<Item, 'kind' | 'points'>[]
  /** The corner drawn before: the stretch from it wants a right angle. */
  from?: Point
  /** The corner before that; right angles to that stretch count, too. */
  before?: Point
  /** Metres; 0 for no grid. */
  gridM: number
  /** How far a point is drawn, metres. */
  reachM: number
}

export interface SnapResult {
  point: Point
  kind: Snapped
}

/** Draws a point to what is near: corners, then edges and right angles, then the grid. */
export function snap(p: Point, to: SnapTo): SnapResult {
  const corner = nearest(p, to.items.flatMap(({ points }) => points), to.reachM)
  if (corner) return { point: corner, kind: 'corner' }
  const edges = edgesNear(p, to)
  const ray = rayOf(p, to)
  const crossing = ray && nearest(p, edges.flatMap(([a, b]) => meeting(ray.from, ray.to, a, b) ?? []), to.reachM)
  if (crossing) return { point: at(crossing.x, crossing.y), kind: 'crossing' }
  const edge = nearest(p, edges.map(([a, b]) => nearestOn(a, b, p)), to.reachM)
  if (edge) return { point: at(edge.x, edge.y), kind: 'edge' }
  if (ray) return { point: alongRay(ray, p, to), kind: 'angle' }
  return onGrid(p, to)
}

/** Only these are measured: a plan has thousands of edges, and the pointer moves often. */
function edgesNear(p: Point, { items, reachM }: SnapTo): [Point, Point][] {
  const isFar = (a: number, b: number, at: number) => (a < at - reachM && b < at - reachM) || (a > at + reachM && b > at + reachM)
  return items.flatMap((item) => {
    if (item.points.every(({ x }) => x < p.x - reachM) || item.points.every(({ x }) => x > p.x + reachM)) return []
    return edgesOf(item).filter(([a, b]) => !isFar(a.x, b.x, p.x) && !isFar(a.y, b.y, p.y) && distance(nearestOn(a, b, p), p) <= reachM)
  })
}

function nearest(p: Point, candidates: readonly Point[], reachM: number): Point | undefined {
  let best: Point | undefined
  let bestM = reachM
  for (const candidate of candidates) {
    const d = distance(candidate, p)
    if (d <= bestM) [best, bestM] = [candidate, d]
  }
  return best
}

interface Ray {
  from: Point
  to: Point
  /** Of length 1. */
  direction: Point
}

// Longer than any plan: as good as endless.
const farM = 100_000

/** The right-angled direction from the last corner that passes near the point. */
function rayOf(p: Point, { from, before, reachM }: SnapTo): Ray | undefined {
  if (!from || distance(p, from) <= reachM) return undefined
  const first = before && distance(before, from) > 0 ? Math.atan2(from.y - before.y, from.x - before.x) : 0
  const turns = [0, 1, 2, 3].map((quarter) => (quarter * Math.PI) / 2)
  // The axes count before what is askew already.
  for (const angle of [...turns, ...turns.map((turn) => first + turn)]) {
    const direction = { x: Math.cos(angle), y: Math.sin(angle) }
    const to = { x: from.x + direction.x * farM, y: from.y + direction.y * farM }
    if (distance(nearestOn(from, to, p), p) <= reachM) return { from, to, direction }
  }
  return undefined
}

/** On the ray, at a length that is a multiple of the grid when one is near. */
function alongRay({ from, direction }: Ray, p: Point, { gridM, reachM }: SnapTo): Point {
  const length = (p.x - from.x) * direction.x + (p.y - from.y) * direction.y
  const even = gridM > 0 ? Math.round(length / gridM) * gridM : length
  const chosen = even > 0 && Math.abs(even - length) <= reachM ? even : length
  return at(from.x + direction.x * chosen, from.y + direction.y * chosen)
}

function onGrid(p: Point, { gridM, reachM }: SnapTo): SnapResult {
  const even = gridM > 0 ? at(Math.round(p.x / gridM) * gridM, Math.round(p.y / gridM) * gridM) : p
  return gridM > 0 && distance(even, p) <= reachM ? { point: even, kind: 'grid' } : { point: at(p.x, p.y), kind: 'none' }
}

// What a person can hit: lines of a grid closer than this are of no use.
const closestPx = 12

/** A grid of 1, 2 or 5 times a power of ten metres that can be seen at this scale. */
export function gridFor(pxPerMetre: number): number {
  const least = Math.max(closestPx / pxPerMetre, 0.01)
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9)
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= least - 1e-9) ?? 10
  return step * power
}
