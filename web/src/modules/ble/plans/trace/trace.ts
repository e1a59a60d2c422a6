import ImageTracer from 'imagetracerjs'
import { area, crossings } from '../editor/polygon'
import { type Bitmap, closeGaps, darker, smaller, withoutSmall } from './bitmap'
import { linesOf } from './lines'
import { bounded, simplify, simplifyAround, straighten, type XY } from './simplify'
import { thin } from './thin'

export interface TraceSettings {
  /** What is darker than this is wall, 0 to 1. */
  threshold: number
  /** How much of the picture's small things counts, 0 to 1. */
  detail: number
}

/** What was found, in the picture's pixels, y down. */
export interface Traced {
  walls: XY[][]
  rooms: XY[][]
}

/** Longer pictures are made smaller before they are traced. */
export const longestSidePx = 2000
// A door is about this much of a floor's longer side, at most.
const doorShare = 0.04
// Rooms need no more, and the vectoriser takes its time.
const roomSidePx = 700
// What the server takes is more; nobody corrects as much by hand.
const wallBound = { shapes: 2000, corners: 12_000 }
const roomBound = { shapes: 300, corners: 6000 }

/** Walls as lines through their middles, rooms as areas between them. */
export function trace(pixels: { data: Uint8ClampedArray; width: number; height: number }, settings: TraceSettings): Traced {
  const { width, height, data } = pixels
  const side = Math.max(width, height)
  const coarse = 1 - settings.detail
  // From a 150th of the picture, about a person's shoulders, to a 20th, a small room.
  const smallestPx = side * (1 / 150 + coarse * coarse * (1 / 20 - 1 / 150))
  const walls = withoutSmall(darker(data, width, height, settings.threshold), smallestPx)
  return { walls: wallsOf(walls, side, smallestPx), rooms: roomsOf(walls, smallestPx) }
}

function wallsOf(map: Bitmap, side: number, smallestPx: number): XY[][] {
  const tolerance = Math.max(1.5, side / 500)
  const lines = linesOf(thin(map)).map((line) => straighten(simplify(line, tolerance), false))
  // Thinning leaves hairs at corners; they are shorter than any wall.
  const long = lines.filter((line) => lengthOf(line) >= smallestPx / 2)
  return bounded(long, lengthOf, wallBound)
}

function lengthOf(line: readonly XY[]): number {
  return line.slice(1).reduce((sum, p, i) => sum + Math.hypot(p.x - (line[i] as XY).x, p.y - (line[i] as XY).y), 0)
}

const dark = { r: 0, g: 0, b: 0, a: 255 }
const light = { r: 255, g: 255, b: 255, a: 255 }

function roomsOf(map: Bitmap, smallestPx: number): XY[][] {
  const factor = Math.max(1, Math.ceil(Math.max(map.width, map.height) / roomSidePx))
  // Doors are gaps in the walls: a room ends there nevertheless.
  const walls = closeGaps(smaller(map, factor), Math.round((Math.max(map.width, map.height) * doorShare) / 2 / factor))
  const { layers } = ImageTracer.imagedataToTracedata(pixelsOf(walls), {
    pal: [dark, light], colorquantcycles: 1, layering: 0, pathomit: 8, ltres: 1, qtres: 1, rightangleenhance: true, blurradius: 0,
  })
  const tolerance = Math.max(1.2, roomSidePx / 400)
  const rooms = (layers[1] ?? [])
    .filter(({ isholepath: isHole, boundingbox: [left, top, right, bottom] }) => !isHole && left > 0 && top > 0 && right < walls.width && bottom < walls.height)
    .map(({ segments }) => segments.map(({ x1, y1 }) => ({ x: x1 * factor, y: y1 * factor })))
    .map((polygon) => straighten(simplifyAround(polygon, tolerance * factor), true))
    .filter((polygon) => polygon.length > 2 && area(polygon) >= smallestPx * smallestPx && crossings(polygon).length === 0)
  return bounded(rooms, area, roomBound)
}

function pixelsOf({ width, height, bits }: Bitmap): { width: number; height: number; data: Uint8ClampedArray } {
  const data = new Uint8ClampedArray(width * height * 4)
  bits.forEach((bit, i) => data.set(bit ? [0, 0, 0, 255] : [255, 255, 255, 255], i * 4))
  return { width, height, data }
}
