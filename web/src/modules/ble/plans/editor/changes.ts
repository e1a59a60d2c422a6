import { type Bounds, drawn, type Doc, type Item, itemOf, type Picture, pictureOf, type ReceiverItem, type ZoneItem } from './model'

/** What has an id of its own on the server and is saved by itself. */
export type Part = ZoneItem | ReceiverItem

/** One request that brings the server nearer to the document. */
export type Op =
  | { kind: 'bounds'; bounds: Bounds }
  | { kind: 'drawing'; items: readonly Item[] }
  | { kind: 'picture'; picture: Picture }
  | { kind: 'add'; part: Part }
  | { kind: 'change'; part: Part }
  | { kind: 'remove'; part: Part }

const partsOf = (doc: Doc) => doc.items.filter((item): item is Part => item.kind === 'zone' || item.kind === 'receiver')
export const drawingOf = (doc: Doc): Item[] => doc.items.filter(({ kind }) => drawn.includes(kind))

/**
 * What has to be sent so that `from` becomes `to`, in an order that the server can
 * take: room before what is put there, devices free before they hang elsewhere,
 * parents before their parts.
 */
export function diff(from: Doc, to: Doc): Op[] {
  if (from === to) return []
  const old = new Map(partsOf(from).map((part) => [part.id, part]))
  const parts = parentsFirst(partsOf(to))
  const kept = new Set(parts.map(({ id }) => id))
  const bounds: Op[] = textOf(from.bounds) === textOf(to.bounds) ? [] : [{ kind: 'bounds', bounds: to.bounds }]
  const isGrowing = from.bounds.max.x <= to.bounds.max.x && from.bounds.max.y <= to.bounds.max.y
  const drawing: Op[] = sameDrawing(from, to) ? [] : [{ kind: 'drawing', items: drawingOf(to) }]
  return [
    ...(isGrowing ? bounds : []),
    ...[...old.values()].filter(({ id }) => !kept.has(id)).reverse().map((part): Op => ({ kind: 'remove', part })),
    ...drawing,
    ...pictureChange(from, to),
    ...parts.flatMap((part): Op[] => partChange(old.get(part.id), part)),
    ...(isGrowing ? [] : bounds),
  ]
}

function partChange(old: Part | undefined, part: Part): Op[] {
  if (!old) return [{ kind: 'add', part }]
  return samePart(old, part) ? [] : [{ kind: 'change', part }]
}

function pictureChange(from: Doc, to: Doc): Op[] {
  const [old, picture] = [pictureOf(from), pictureOf(to)]
  // A picture comes and goes by itself, not with the drawing; only its place is part of it.
  return !old || !picture || itemText(old) === itemText(picture) ? [] : [{ kind: 'picture', picture }]
}

/** The document after the request was done. */
export function apply(doc: Doc, op: Op): Doc {
  switch (op.kind) {
    case 'bounds':
      return { ...doc, bounds: op.bounds }
    case 'drawing':
      return { ...doc, items: [...doc.items.filter(({ kind }) => !drawn.includes(kind)), ...op.items] }
    case 'picture':
      return { ...doc, items: doc.items.map((item) => (item.kind === 'picture' ? op.picture : item)) }
    case 'add':
      return { ...doc, items: [...doc.items, op.part] }
    case 'change':
      return { ...doc, items: doc.items.map((item) => (item.id === op.part.id ? op.part : item)) }
    case 'remove':
      return { ...doc, items: doc.items.filter(({ id }) => id !== op.part.id).map((item) => (item.kind === 'zone' && item.parent === op.part.id ? { ...item, parent: '' } : item)) }
  }
}

/** Whether nothing would have to be sent. */
export const same = (a: Doc, b: Doc): boolean => diff(a, b).length === 0

// Drawn items have no ids on the server: what counts is how they are, and their order.
function sameDrawing(a: Doc, b: Doc): boolean {
  const [one, other] = [byKind(a), byKind(b)]
  return one.length === other.length && one.every((item, i) => isSame(item, other[i] as Item))
}

// Kinds are stored apart from one another: only the order within a kind is kept.
const byKind = (doc: Doc) => drawn.flatMap((kind) => doc.items.filter((item) => item.kind === kind))

const isSame = (a: Item, b: Item) => a === b || itemText(a) === itemText(b)

function samePart(a: Part, b: Part): boolean {
  return a.id === b.id && isSame(a, b)
}

/** All that is saved of an item; numbers, names of devices and addresses are the server's. */
export function itemText(item: Item): string {
  const { points } = item
  switch (item.kind) {
    case 'room':
      return textOf([item.kind, points, item.color.toLowerCase(), item.label])
    case 'label':
      return textOf([item.kind, points, item.text, item.sizeM])
    case 'zone':
      return textOf([item.kind, points, item.name, item.color.toLowerCase(), item.capacity, item.parent])
    case 'receiver':
      return textOf([item.kind, points, item.device, item.zM, item.rotation, item.gainDb])
    case 'picture':
      return textOf([item.kind, points, item.metresPerPx, item.rotation, item.opacity])
    default:
      return textOf([item.kind, points])
  }
}

/** The same text for the same thing, whatever the order of its fields. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field)
}

function parentsFirst(parts: readonly Part[]): Part[] {
  const byId = new Map(parts.map((part) => [part.id, part]))
  const done = new Set<Part>()
  const put = (part: Part | undefined, depth: number) => {
    if (!part || done.has(part) || depth > parts.length) return
    if (part.kind === 'zone' && part.parent) put(byId.get(part.parent), depth + 1)
    done.add(part)
  }
  parts.forEach((part) => put(part, 0))
  return [...done]
}

/**
 * My changes since `base` upon what somebody else made of it meanwhile. Of what
 * both changed, mine counts; what one of us took away is gone unless the other changed it.
 */
export function merge(base: Doc, theirs: Doc, mine: Doc): Doc {
  const bounds = textOf(base.bounds) === textOf(mine.bounds) ? theirs.bounds : mine.bounds
  const parts = mergeParts(base, theirs, mine)
  const ids = new Set(parts.map(({ id }) => id))
  const whole = parts.map((part) => (part.kind === 'zone' && part.parent && !ids.has(part.parent) ? { ...part, parent: '' } : part))
  const picture = mergePicture(base, theirs, mine)
  return { bounds, items: [...(picture ? [picture] : []), ...mergeDrawing(base, theirs, mine), ...whole] }
}

function mergeParts(base: Doc, theirs: Doc, mine: Doc): Part[] {
  const changed = (part: Part) => {
    const old = itemOf(base, part.id)
    return !old || itemText(old) !== itemText(part)
  }
  const own = new Map(partsOf(mine).map((part) => [part.id, part]))
  const kept = partsOf(theirs).flatMap((part) => {
    const me = own.get(part.id)
    if (me) return changed(me) ? me : part
    const wasMine = itemOf(base, part.id) !== undefined
    return wasMine && !changed(part) ? [] : part
  })
  const known = new Set(partsOf(theirs).map(({ id }) => id))
  return [...kept, ...partsOf(mine).filter((part) => !known.has(part.id) && changed(part))]
}

function mergePicture(base: Doc, theirs: Doc, mine: Doc): Picture | undefined {
  const [old, other, me] = [pictureOf(base), pictureOf(theirs), pictureOf(mine)]
  return other && me && old && itemText(old) !== itemText(me) ? { ...me, url: other.url } : other
}

/** Theirs without what I took away, and with what I added; a shape that was changed is both. */
function mergeDrawing(base: Doc, theirs: Doc, mine: Doc): Item[] {
  const before = counted(drawingOf(base))
  const added = drawingOf(mine).filter((item) => !take(before, itemText(item)))
  // What is left was in the base and is not in mine any more.
  return [...drawingOf(theirs).filter((item) => !take(before, itemText(item))), ...added]
}

function counted(items: readonly Item[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(itemText(item), (counts.get(itemText(item)) ?? 0) + 1)
  return counts
}

function take(counts: Map<string, number>, text: string): boolean {
  const left = counts.get(text) ?? 0
  if (left > 0) counts.set(text, left - 1)
  return left > 0
}
