import { closed, edgesOf, type Doc, type Item, type Kind, type Point } from './model'
import { area, contains, distance, nearestOn } from './polygon'

export interface Hit {
  id: string
  /** What of the item was hit. */
  part: 'body' | 'corner' | 'edge'
  /** Of the corner, or of the edge's first corner. */
  index: number
}

// Small things lie over large ones.
const order: readonly Kind[] = ['receiver', 'label', 'door', 'wall', 'zone', 'room', 'no_go']

export interface Aim {
  p: Point
  /** How far beside a thing still counts, metres. */
  reachM: number
  /** Kinds that can be hit; the picture never is. */
  kinds: readonly Kind[]
}

/** The corner or edge of a chosen item, which comes before everything else. */
export function hitHandle(item: Item | undefined, { p, reachM }: Aim): Hit | undefined {
  if (!item || item.points.length < 2) return undefined
  const corner = item.points.findIndex((q) => distance(q, p) <= reachM)
  if (corner >= 0) return { id: item.id, part: 'corner', index: corner }
  const edge = edgesOf(item).findIndex(([a, b]) => distance({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, p) <= reachM)
  return edge >= 0 ? { id: item.id, part: 'edge', index: edge } : undefined
}

/** The uppermost item at a place; of areas over one another the smallest. */
export function hit(doc: Doc, aim: Aim): Hit | undefined {
  for (const kind of order.filter((k) => aim.kinds.includes(k))) {
    const found = doc.items.filter((item) => item.kind === kind && isHit(item, aim))
    const best = closed.includes(kind) ? found.sort((a, b) => area(a.points) - area(b.points))[0] : found.at(-1)
    if (best) return { id: best.id, part: 'body', index: 0 }
  }
  return undefined
}

function isHit(item: Item, { p, reachM }: Aim): boolean {
  if (closed.includes(item.kind)) return contains(item.points, p) || edgesOf(item).some(([a, b]) => distance(nearestOn(a, b, p), p) <= reachM / 2)
  if (item.kind === 'label') return isOnText(item.points[0] as Point, item.text, item.sizeM, p)
  if (item.points.length === 1) return distance(item.points[0] as Point, p) <= reachM * 1.6
  return edgesOf(item).some(([a, b]) => distance(nearestOn(a, b, p), p) <= reachM)
}

// A letter is about this much of its height wide.
const letterWidth = 0.6

function isOnText(middle: Point, text: string, sizeM: number, p: Point): boolean {
  return Math.abs(p.y - middle.y) <= sizeM * 0.75 && Math.abs(p.x - middle.x) <= (text.length * sizeM * letterWidth) / 2 + sizeM / 2
}
