import { type Doc, insertPoint, type Item, itemOf, moveBy, movePoint, type Point, replace } from './model'
import { closed, edgesOf } from './model'
import { type Crossing, crossings, distance } from './polygon'
import type { Hit } from './hit'

/** What is being dragged, and the document as it was when that began. */
export type Drag =
  | { kind: 'corner'; start: Doc; item: Item; index: number }
  | { kind: 'move'; start: Doc; ids: ReadonlySet<string>; from: Point; anchor: Point }

/** Takes hold of a corner, pulls a new one out of an edge, or takes the whole selection. */
export function beginDrag(doc: Doc, hit: Hit, selection: ReadonlySet<string>, from: Point): Drag | undefined {
  const item = itemOf(doc, hit.id)
  if (!item) return undefined
  if (hit.part === 'corner') return { kind: 'corner', start: doc, item, index: hit.index }
  if (hit.part === 'edge') {
    const [a, b] = edgesOf(item)[hit.index] as [Point, Point]
    const pulled = insertPoint(item, hit.index, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
    return { kind: 'corner', start: doc, item: pulled, index: hit.index + 1 }
  }
  const ids = selection.has(hit.id) ? selection : new Set([hit.id])
  const anchor = [...item.points].sort((a, b) => distance(a, from) - distance(b, from))[0] ?? from
  return { kind: 'move', start: doc, ids, from, anchor }
}

/** Where the point that is to be snapped would be now. */
export function aimOf(drag: Drag, p: Point): Point {
  return drag.kind === 'corner' ? p : { x: drag.anchor.x + p.x - drag.from.x, y: drag.anchor.y + p.y - drag.from.y }
}

/** The document with the aimed point at its new place. */
export function dragged(drag: Drag, to: Point): Doc {
  if (drag.kind === 'corner') return replace(drag.start, movePoint(drag.item, drag.index, to))
  return moveBy(drag.start, drag.ids, to.x - drag.anchor.x, to.y - drag.anchor.y)
}

/** Ids of what moves: nothing snaps to itself. */
export const movingIds = (drag: Drag): ReadonlySet<string> => (drag.kind === 'corner' ? new Set([drag.item.id]) : drag.ids)

/** Where the borders of the items cross themselves. */
export function crossingsOf(doc: Doc, ids: ReadonlySet<string>): Crossing[] {
  return doc.items.filter(({ id, kind }) => ids.has(id) && closed.includes(kind)).flatMap(({ points }) => crossings(points))
}
