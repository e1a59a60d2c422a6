import { at, type Doc, type Item, type Point } from './model'

// Between the server's plan and the document. Pairs are [x, y] in metres.

type Pair = number[]

/** The drawing as it is sent and read. */
export interface ServerDrawing {
  walls: Pair[][]
  rooms: { polygon: Pair[]; color: string; label: string }[]
  doors: Pair[][]
  labels: { x: number; y: number; text: string; size_m: number }[]
  no_go: Pair[][]
}

export interface ServerImage {
  url: string
  width_px: number
  height_px: number
  metres_per_px: number
  x: number
  y: number
  /** Counter-clockwise, unlike everything else that turns. */
  rotation_deg: number
  opacity: number
}

export interface ServerReceiver {
  id: string
  device_id: string
  number: number
  name: string
  x: number
  y: number
  z: number
  rotation: number
  gain_db: number
  online: boolean
}

export interface ServerZone {
  id: string
  number: number
  name: string
  color: string
  capacity?: number | null
  parent_id?: string
  polygon: Pair[]
}

/** What the editor reads of a plan. */
export interface ServerPlan {
  bounds: { min: Point; max: Point }
  drawing: ServerDrawing
  image?: ServerImage | null
  receivers: ServerReceiver[]
  zones: ServerZone[]
}

const point = ([x = 0, y = 0]: Pair): Point => at(x, y)
const points = (row: Pair[]): Point[] => row.map(point)
const pair = ({ x, y }: Point): Pair => [x, y]
const pairs = (row: readonly Point[]): Pair[] => row.map(pair)

/** Drawn shapes get ids of this page; parts keep those of the server. */
export function docOf(plan: ServerPlan, newId: () => string = () => crypto.randomUUID()): Doc {
  const { walls, rooms, doors, labels, no_go: noGo } = plan.drawing
  const drawing: Item[] = [
    ...rooms.map(({ polygon, color, label }): Item => ({ id: newId(), kind: 'room', points: points(polygon), color: color.toLowerCase(), label })),
    ...noGo.map((polygon): Item => ({ id: newId(), kind: 'no_go', points: points(polygon) })),
    ...walls.map((wall): Item => ({ id: newId(), kind: 'wall', points: points(wall) })),
    ...doors.map((door): Item => ({ id: newId(), kind: 'door', points: points(door) })),
    ...labels.map(({ x, y, text, size_m: sizeM }): Item => ({ id: newId(), kind: 'label', points: [at(x, y)], text, sizeM })),
  ]
  return { bounds: plan.bounds, items: [...imageOf(plan.image), ...drawing, ...plan.zones.map(zoneOf), ...plan.receivers.map(receiverOf)] }
}

/** The picture is one thing, whichever file it shows. */
export const pictureId = 'picture'

function imageOf(image: ServerImage | null | undefined): Item[] {
  if (!image) return []
  const { url, width_px: widthPx, height_px: heightPx, metres_per_px: metresPerPx, rotation_deg: turned, opacity } = image
  return [{ id: pictureId, kind: 'picture', points: [at(image.x, image.y)], url, widthPx, heightPx, metresPerPx, rotation: fullTurn(-turned), opacity }]
}

/** Degrees from 0 to below 360. */
export const fullTurn = (degrees: number): number => ((degrees % 360) + 360) % 360

function zoneOf({ id, number, name, color, capacity, parent_id: parent, polygon }: ServerZone): Item {
  return { id, kind: 'zone', points: points(polygon), number, name, color: color.toLowerCase(), capacity: capacity ?? null, parent: parent ?? '' }
}

function receiverOf({ id, device_id: device, number, name, x, y, z: zM, rotation, gain_db: gainDb }: ServerReceiver): Item {
  return { id, kind: 'receiver', points: [at(x, y)], device, number, name, zM, rotation, gainDb: gainDb ?? 0 }
}

/** What is sent of the drawn items. */
export function drawingBody(items: readonly Item[]): ServerDrawing {
  const body: ServerDrawing = { walls: [], rooms: [], doors: [], labels: [], no_go: [] }
  for (const item of items) {
    if (item.kind === 'wall') body.walls.push(pairs(item.points))
    if (item.kind === 'door') body.doors.push(pairs(item.points))
    if (item.kind === 'no_go') body.no_go.push(pairs(item.points))
    if (item.kind === 'room') body.rooms.push({ polygon: pairs(item.points), color: item.color, label: item.label })
    if (item.kind === 'label') body.labels.push({ ...(item.points[0] as Point), text: item.text, size_m: item.sizeM })
  }
  return body
}

/** What is sent of a zone; a capacity of 0 is none. */
export function zoneBody({ name, color, capacity, parent, points: polygon }: Extract<Item, { kind: 'zone' }>) {
  return { name, color, capacity: capacity ?? 0, parent_id: parent, polygon: pairs(polygon) }
}

export function receiverBody({ device, points: [p], zM, rotation, gainDb }: Extract<Item, { kind: 'receiver' }>) {
  return { device_id: device, x: p?.x ?? 0, y: p?.y ?? 0, z: zM, rotation, gain_db: gainDb }
}

export function imageBody({ metresPerPx, points: [p], rotation, opacity }: Extract<Item, { kind: 'picture' }>) {
  return { metres_per_px: metresPerPx, x: p?.x ?? 0, y: p?.y ?? 0, rotation_deg: fullTurn(-rotation), opacity }
}
