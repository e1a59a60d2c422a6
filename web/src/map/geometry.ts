import type { MapPoint } from './types'

/** A horizontal stretch inside a polygon, metres. */
export interface Chord {
  left: number
  y: number
  width: number
}

// Enough rows to find the broad part of an L- or U-shaped room.
const chordRows = 12
// A stretch at the top is preferred over the widest when it is this broad.
const broadEnough = 0.7

/**
 * Where a zone's name stands: the highest broad stretch inside it, so that the
 * middle stays free for tags. Undefined for a polygon without area.
 */
export function labelChord(polygon: readonly MapPoint[]): Chord | undefined {
  const ys = polygon.map((p) => p.y)
  const low = Math.min(...ys)
  const high = Math.max(...ys)
  const chords: Chord[] = []
  for (let row = chordRows - 1; row > 0; row--) {
    const chord = widestAt(polygon, low + ((high - low) * row) / chordRows)
    if (chord) chords.push(chord)
  }
  const widest = Math.max(...chords.map(({ width }) => width))
  return chords.find(({ width }) => width >= widest * broadEnough)
}

function widestAt(polygon: readonly MapPoint[], y: number): Chord | undefined {
  const crossings: number[] = []
  eachEdge(polygon, (a, b) => {
    if (a.y > y !== b.y > y) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x))
  })
  crossings.sort((a, b) => a - b)
  let best: Chord | undefined
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const [from, to] = [crossings[i] as number, crossings[i + 1] as number]
    if (to - from > (best?.width ?? 0)) best = { left: from, y, width: to - from }
  }
  return best
}

function eachEdge(polygon: readonly MapPoint[], visit: (a: MapPoint, b: MapPoint) => void): void {
  polygon.forEach((a, i) => visit(a, polygon[(i + 1) % polygon.length] as MapPoint))
}
