import type { MapPoint } from '@/map/types'

// A plan while it is edited: one list of items, each a row of points with what
// belongs to its kind. Documents are never changed, only replaced, so that undo
// is a list of documents and what stays is shared. Metres, y up; degrees clockwise.

export type Point = MapPoint

export interface Bounds {
  min: Point
  max: Point
}

interface Shape {
  readonly id: string
  readonly points: readonly Point[]
}

export interface Wall extends Shape { readonly kind: 'wall' }
export interface Door extends Shape { readonly kind: 'door' }
export interface NoGo extends Shape { readonly kind: 'no_go' }
export interface Room extends Shape { readonly kind: 'room'; readonly color: string; readonly label: string }
export interface Label extends Shape { readonly kind: 'label'; readonly text: string; readonly sizeM: number }

export interface ZoneItem extends Shape {
  readonly kind: 'zone'
  /** Given by the server; 0 until it has. */
  readonly number: number
  readonly name: string
  readonly color: string
  /** null: any number of tags. */
  readonly capacity: number | null
  /** Id of the zone that this one is a part of, empty for none. */
  readonly parent: string
}

export interface ReceiverItem extends Shape {
  readonly kind: 'receiver'
  readonly device: string
  readonly number: number
  readonly name: string
  readonly zM: number
  readonly rotation: number
  readonly gainDb: number
}

/** The picture below the drawing; its point is the lower left corner before it is turned. */
export interface Picture extends Shape {
  readonly kind: 'picture'
  readonly url: string
  readonly widthPx: number
  readonly heightPx: number
  readonly metresPerPx: number
  readonly rotation: number
  readonly opacity: number
}

export type Item = Wall | Door | NoGo | Room | Label | ZoneItem | ReceiverItem | Picture
export type Kind = Item['kind']

export interface Doc {
  readonly bounds: Bounds
  /** From the bottom up within a kind. */
  readonly items: readonly Item[]
}

/** What is saved together as the plan's drawing. */
export const drawn: readonly Kind[] = ['wall', 'door', 'no_go', 'room', 'label']
/** Kinds whose points go around. */
export const closed: readonly Kind[] = ['room', 'no_go', 'zone']

/** The palette of rooms, and of zones by number. */
export const roomColors = ['#f5efe0', '#ffe8d6', '#e0f7fa'] as const
export const zoneColors = ['#1cb5d5', '#f2994a', '#6a5acd', '#27ae60', '#eb5757', '#b8860b', '#d6409f', '#5b8def'] as const

const fewest: Record<Kind, number> = { wall: 2, door: 2, no_go: 3, room: 3, zone: 3, label: 1, receiver: 1, picture: 1 }

/** Millimetres: finer differences are noise of the pointer, and would save forever. */
export const round = (metres: number): number => Math.round(metres * 1000) / 1000 + 0
export const at = (x: number, y: number): Point => ({ x: round(x), y: round(y) })

/** The nearest point within the plan. */
export function within({ min, max }: Bounds, p: Point): Point {
  return at(Math.min(max.x, Math.max(min.x, p.x)), Math.min(max.y, Math.max(min.y, p.y)))
}

export const itemOf = (doc: Doc, id: string): Item | undefined => doc.items.find((item) => item.id === id)
export const pictureOf = (doc: Doc): Picture | undefined => doc.items.find((item) => item.kind === 'picture')

/** All items of a kind. */
export function ofKind<K extends Kind>(doc: Doc, kind: K): Extract<Item, { kind: K }>[] {
  return doc.items.filter((item): item is Extract<Item, { kind: K }> => item.kind === kind)
}

export const add = (doc: Doc, ...items: readonly Item[]): Doc => ({ ...doc, items: [...doc.items, ...items] })

/** Puts the item in the place of the one with its id. */
export function replace(doc: Doc, item: Item): Doc {
  return { ...doc, items: doc.items.map((old) => (old.id === item.id ? item : old)) }
}

/** Takes items away; zones that were parts of them become independent. The picture stays. */
export function remove(doc: Doc, ids: ReadonlySet<string>): Doc {
  const left = doc.items.filter((item) => !ids.has(item.id) || item.kind === 'picture')
  return { ...doc, items: left.map((item) => (item.kind === 'zone' && ids.has(item.parent) ? { ...item, parent: '' } : item)) }
}

/** Moves whole items, as far as the plan goes, and all by the same way. */
export function moveBy(doc: Doc, ids: ReadonlySet<string>, dx: number, dy: number): Doc {
  const moved = doc.items.filter(({ id }) => ids.has(id))
  const inside = moved.filter(({ kind }) => kind !== 'picture').flatMap(({ points }) => points)
  const { min, max } = doc.bounds
  const x = limit(dx, inside.map((p) => p.x), min.x, max.x)
  const y = limit(dy, inside.map((p) => p.y), min.y, max.y)
  if (x === 0 && y === 0) return doc
  const shift = <T extends Item>(item: T): T => ({ ...item, points: item.points.map((p) => at(p.x + x, p.y + y)) })
  return { ...doc, items: doc.items.map((item) => (ids.has(item.id) ? shift(item) : item)) }
}

function limit(by: number, values: readonly number[], low: number, high: number): number {
  if (values.length === 0) return by
  const least = values.reduce((a, b) => Math.min(a, b))
  const most = values.reduce((a, b) => Math.max(a, b))
  // What lies outside already may come in, never go further out.
  return Math.min(Math.max(by, Math.min(0, low - least)), Math.max(0, high - most))
}

export function movePoint<T extends Item>(item: T, index: number, to: Point): T {
  return { ...item, points: item.points.map((p, i) => (i === index ? to : p)) }
}

/** Puts a corner behind the one at the index. */
export function insertPoint<T extends Item>(item: T, index: number, p: Point): T {
  return { ...item, points: [...item.points.slice(0, index + 1), p, ...item.points.slice(index + 1)] }
}

/** Undefined when the item cannot do without the corner. */
export function removePoint<T extends Item>(item: T, index: number): T | undefined {
  if (item.points.length <= fewest[item.kind]) return undefined
  return { ...item, points: item.points.filter((_, i) => i !== index) }
}

/** Everything on the plan by a factor, as the server scales it: around its origin. */
export function scaled(doc: Doc, factor: number): Doc {
  const grow = (p: Point) => at(p.x * factor, p.y * factor)
  const items = doc.items.map((item): Item => {
    const points = item.points.map(grow)
    if (item.kind === 'picture') return { ...item, points, metresPerPx: item.metresPerPx * factor }
    return item.kind === 'label' ? { ...item, points, sizeM: item.sizeM * factor } : { ...item, points }
  })
  return { bounds: { min: grow(doc.bounds.min), max: grow(doc.bounds.max) }, items }
}

/** The edges of an item; those of a closed one go around. */
export function edgesOf(item: Pick<Item, 'kind' | 'points'>): [Point, Point][] {
  const { points } = item
  const edges = points.slice(1).map((p, i): [Point, Point] => [points[i] as Point, p])
  if (closed.includes(item.kind) && points.length > 2) edges.push([points.at(-1) as Point, points[0] as Point])
  return edges
}

/** What a device is dragged as from the list to the plan. */
export const deviceType = 'application/x-mybeacon-device'
