export interface XY {
  x: number
  y: number
}

/** Leaves out corners that lie nearer than this to the line without them (Douglas and Peucker). The ends stay. */
export function simplify<T extends XY>(line: readonly T[], tolerance: number): T[] {
  if (line.length < 3) return [...line]
  const kept = new Uint8Array(line.length)
  kept[0] = kept[line.length - 1] = 1
  const open: [number, number][] = [[0, line.length - 1]]
  for (let stretch = open.pop(); stretch; stretch = open.pop()) {
    const [from, to] = stretch
    const [index, far] = farthest(line, from, to)
    if (far <= tolerance) continue
    kept[index] = 1
    open.push([from, index], [index, to])
  }
  return line.filter((_, i) => kept[i] === 1)
}

function farthest(line: readonly XY[], from: number, to: number): [number, number] {
  let best: [number, number] = [from, 0]
  for (let i = from + 1; i < to; i++) {
    const d = offLine(line[from] as XY, line[to] as XY, line[i] as XY)
    if (d > best[1]) best = [i, d]
  }
  return best
}

function offLine(a: XY, b: XY, p: XY): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = Math.hypot(dx, dy)
  if (length === 0) return Math.hypot(p.x - a.x, p.y - a.y)
  const t = Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / (length * length)))
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy)
}

/** The same for a line that goes around: it is opened at the two corners farthest from one another. */
export function simplifyAround<T extends XY>(polygon: readonly T[], tolerance: number): T[] {
  if (polygon.length < 4) return [...polygon]
  const far = polygon.reduce((best, p, i) => (distance(p, polygon[0] as T) > distance(polygon[best] as T, polygon[0] as T) ? i : best), 0)
  const there = simplify(polygon.slice(0, far + 1), tolerance)
  const back = simplify([...polygon.slice(far), polygon[0] as T], tolerance)
  return [...there, ...back.slice(1, -1)]
}

const distance = (a: XY, b: XY) => Math.hypot(a.x - b.x, a.y - b.y)

// Steeper than this beside an axis is meant to be askew.
const straightSlope = 0.12

/** Makes stretches that are nearly upright or level exactly so. */
export function straighten<T extends XY>(line: readonly T[], isClosed: boolean): T[] {
  const out = line.map((p) => ({ ...p }))
  const stretches = isClosed ? out.length : out.length - 1
  for (let i = 0; i < stretches; i++) {
    const [a, b] = [out[i] as T, out[(i + 1) % out.length] as T]
    const [dx, dy] = [Math.abs(b.x - a.x), Math.abs(b.y - a.y)]
    if (dy > 0 && dy <= dx * straightSlope) a.y = b.y = (a.y + b.y) / 2
    else if (dx > 0 && dx <= dy * straightSlope) a.x = b.x = (a.x + b.x) / 2
  }
  return out
}

export interface Bound {
  shapes: number
  corners: number
}

/** The largest shapes, with no more corners altogether than the bound allows. */
export function bounded<T extends XY>(shapes: readonly T[][], size: (shape: T[]) => number, bound: Bound): T[][] {
  const chosen: T[][] = []
  let corners = 0
  for (const shape of [...shapes].sort((a, b) => size(b) - size(a))) {
    if (chosen.length >= bound.shapes || corners + shape.length > bound.corners) break
    chosen.push(shape)
    corners += shape.length
  }
  return chosen
}
