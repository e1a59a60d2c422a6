import type { Item, Picture, Point } from '../editor/model'
import { at, roomColors } from '../editor/model'
import type { Traced } from './trace'

type Placed = Pick<Picture, 'points' | 'metresPerPx' | 'rotation' | 'heightPx'>

/** Where a pixel of the picture lies on the plan. */
export function placeOf({ points: [corner], metresPerPx, rotation, heightPx }: Placed, x: number, y: number): Point {
  const [right, up] = [x * metresPerPx, (heightPx - y) * metresPerPx]
  const angle = (-rotation * Math.PI) / 180
  return at((corner?.x ?? 0) + right * Math.cos(angle) - up * Math.sin(angle), (corner?.y ?? 0) + right * Math.sin(angle) + up * Math.cos(angle))
}

/** The traced shapes as items on the plan; `scale` is of the picture to what was traced. */
export function itemsOf(traced: Traced, picture: Placed, scale: number): Item[] {
  const points = (row: { x: number; y: number }[]) => row.map(({ x, y }) => placeOf(picture, x * scale, y * scale))
  return [
    ...traced.rooms.map((room): Item => ({ id: crypto.randomUUID(), kind: 'room', points: points(room), color: roomColors[0], label: '' })),
    ...traced.walls.map((wall): Item => ({ id: crypto.randomUUID(), kind: 'wall', points: points(wall) })),
  ]
}
