import type { Point } from './model'
import { distance } from './polygon'

/** What is drawn corner by corner. `scale` is a line whose length the person then types. */
export type DrawKind = 'wall' | 'room' | 'door' | 'no_go' | 'zone' | 'scale'

export interface Stroke {
  readonly kind: DrawKind
  readonly points: readonly Point[]
}

export interface Drawn {
  stroke: Stroke
  /** The finished shape, once it is. */
  done?: readonly Point[]
}

const twoPoints: readonly DrawKind[] = ['door', 'scale']
const around: readonly DrawKind[] = ['room', 'no_go', 'zone']

export const begin = (kind: DrawKind): Stroke => ({ kind, points: [] })
export const goesAround = (kind: DrawKind): boolean => around.includes(kind)

/** Adds a corner; a press on the first or the last corner ends the shape. */
export function press(stroke: Stroke, p: Point, reachM: number): Drawn {
  const { kind, points } = stroke
  const first = points[0]
  const last = points.at(-1)
  if (last && distance(last, p) <= Math.min(reachM, 0.001)) return finish(stroke)
  if (first && points.length > 2 && distance(first, p) <= reachM) {
    return { stroke: begin(kind), done: goesAround(kind) ? points : [...points, first] }
  }
  const next = [...points, p]
  if (twoPoints.includes(kind) && next.length === 2) return { stroke: begin(kind), done: next }
  return { stroke: { kind, points: next } }
}

/** Ends the shape as it is; too few corners stay a stroke. */
export function finish(stroke: Stroke): Drawn {
  const needed = goesAround(stroke.kind) ? 3 : 2
  return stroke.points.length < needed ? { stroke } : { stroke: begin(stroke.kind), done: stroke.points }
}

/** Takes the last corner back. */
export const back = (stroke: Stroke): Stroke => ({ ...stroke, points: stroke.points.slice(0, -1) })

/** A right-angled shape between two opposite corners; undefined without area. */
export function rectangle(a: Point, b: Point): Point[] | undefined {
  if (a.x === b.x || a.y === b.y) return undefined
  return [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }]
}
