import { describe, expect, it } from 'vitest'
import { area, boxOf, contains, crossings } from '../editor/polygon'
import { closeGaps, darker, emptyBitmap, regionsOf, smaller, withoutSmall } from './bitmap'
import { linesOf } from './lines'
import { itemsOf, placeOf } from './place'
import { bounded, simplify, simplifyAround, straighten } from './simplify'
import { thin } from './thin'
import { trace } from './trace'

/** A picture of a floor: black lines of a thickness on white paper. */
class Paper {
  readonly data: Uint8ClampedArray

  constructor(readonly width: number, readonly height: number) {
    this.data = new Uint8ClampedArray(width * height * 4).fill(255)
  }

  box(left: number, top: number, right: number, bottom: number, grey = 0): this {
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) this.data.set([grey, grey, grey, 255], (y * this.width + x) * 4)
    return this
  }
}

// Two rooms of 200 by 240 beside one another, with a door of 18 between them, and
// outer walls of 10 at 40 from the paper's edge.
const floor = () => new Paper(520, 340)
  .box(40, 40, 480, 50).box(40, 290, 480, 300).box(40, 40, 50, 300).box(470, 40, 480, 300)
  .box(255, 40, 265, 160).box(255, 178, 265, 300)
const settings = { threshold: 0.5, detail: 0.6 }

describe('trace', () => {
  const { walls, rooms } = trace(floor(), settings)

  it('finds the walls in their middles', () => {
    const length = walls.reduce((sum, wall) => sum + wall.slice(1).reduce((s, p, i) => s + Math.hypot(p.x - wall[i]!.x, p.y - wall[i]!.y), 0), 0)
    // Around 430 by 250 through the middles, and 240 of the inner wall, without the door.
    expect(length).toBeGreaterThan(1480)
    expect(length).toBeLessThan(1600)
    for (const { x, y } of walls.flat()) {
      const isOuter = Math.min(Math.abs(x - 45), Math.abs(x - 475), Math.abs(y - 45), Math.abs(y - 295)) <= 3
      expect(isOuter || Math.abs(x - 260) <= 3, `${x} ${y}`).toBe(true)
    }
  })

  it('finds the rooms, though a door joins them, and not the paper around', () => {
    expect(rooms.length).toBe(2)
    for (const room of rooms) {
      expect(area(room)).toBeGreaterThan(200 * 240 * 0.93)
      expect(area(room)).toBeLessThan(210 * 245)
      expect(crossings(room)).toEqual([])
      expect(room.length).toBeLessThanOrEqual(8)
    }
    expect(rooms.filter((room) => contains(room, { x: 150, y: 170 })).length).toBe(1)
    expect(rooms.filter((room) => contains(room, { x: 360, y: 170 })).length).toBe(1)
  })

  it('makes walls upright and level that nearly are', () => {
    const askew = walls.flatMap((wall) => wall.slice(1).filter((p, i) => Math.abs(p.x - wall[i]!.x) > 1 && Math.abs(p.y - wall[i]!.y) > 1))
    expect(askew).toEqual([])
  })

  it('sees what the threshold says', () => {
    const grey = floor().box(100, 170, 220, 180, 150)
    const counted = (threshold: number) => trace(grey, { threshold, detail: 0.6 }).walls.filter((wall) => wall.every(({ y }) => Math.abs(y - 175) < 4)).length
    expect([counted(0.3), counted(0.8)]).toEqual([0, 1])
  })

  it('leaves letters and dust out, and more of them with less detail', () => {
    const littered = floor().box(100, 100, 102, 103).box(120, 100, 136, 104)
    const near = (detail: number) => trace(littered, { threshold: 0.5, detail }).walls.filter((wall) => wall.every(({ x, y }) => x < 150 && x > 90 && y < 120 && y > 90)).length
    expect([near(1), near(0.2)]).toEqual([1, 0])
  })

  it('finds nothing on empty paper and on a black one', () => {
    expect(trace(new Paper(60, 40), settings)).toEqual({ walls: [], rooms: [] })
    expect(trace(new Paper(60, 40).box(0, 0, 60, 40), settings).rooms).toEqual([])
  })

  it('takes what is transparent for paper', () => {
    const clear = new Paper(60, 40)
    clear.data.fill(0)
    expect(darker(clear.data, 60, 40, 0.5).bits.some((bit) => bit === 1)).toBe(false)
  })
})

describe('bitmap', () => {
  const map = (...rows: string[]) => {
    const out = emptyBitmap(rows[0]!.length, rows.length)
    rows.join('').split('').forEach((c, i) => (out.bits[i] = c === '#' ? 1 : 0))
    return out
  }
  const text = ({ width, bits }: { width: number; bits: Uint8Array }) => [...bits].map((bit) => (bit ? '#' : '.')).join('').match(new RegExp(`.{${width}}`, 'g'))

  it('tells regions apart, and not across the edge', () => {
    const two = map('#..', '..#', '..#')
    expect(regionsOf(two, 1, true).length).toBe(2)
    expect(regionsOf(map('..#', '#..'), 1, true).length).toBe(2)
    expect([regionsOf(map('#.', '.#'), 1, true).length, regionsOf(map('#.', '.#'), 1, false).length]).toEqual([1, 2])
  })

  it('drops what is small', () => {
    expect(text(withoutSmall(map('###.', '....', '.#..'), 3))).toEqual(['###.', '....', '....'])
  })

  it('closes gaps and leaves the ends where they were', () => {
    expect(text(closeGaps(map('###..###', '........', '........'), 1))).toEqual(['########', '........', '........'])
    expect(text(closeGaps(map('##....##'), 1))).toEqual(['##....##'])
  })

  it('gets smaller without breaking walls', () => {
    expect(text(smaller(map('#...', '....', '...#', '....'), 2))).toEqual(['#.', '.#'])
  })

  it('thins a bar to a line, and walks a ring around', () => {
    const bar = thin(map('.......', '.#####.', '.#####.', '.#####.', '.......'))
    const lines = linesOf(bar)
    expect(lines.length).toBe(1)
    expect(lines[0]!.every(({ y }) => y === 2)).toBe(true)
    const ring = linesOf(map('.....', '.###.', '.#.#.', '.###.', '.....'))
    expect(ring.length).toBe(1)
    expect(ring[0]![0]).toEqual(ring[0]!.at(-1))
  })

  it('walks every arm of a crossing once', () => {
    const lines = linesOf(map('.........', '....#....', '....#....', '.#######.', '....#....', '....#....', '.........'))
    expect(lines.map((line) => line.length).sort()).toEqual([3, 3, 4, 4])
  })
})

describe('simplify', () => {
  const p = (x: number, y: number) => ({ x, y })

  it('leaves out what is on the way, and never the ends', () => {
    expect(simplify([p(0, 0), p(1, 0.1), p(2, 0), p(2, 5)], 0.5)).toEqual([p(0, 0), p(2, 0), p(2, 5)])
    expect(simplify([p(0, 0), p(0, 0)], 1)).toHaveLength(2)
  })

  it('stays within the tolerance', () => {
    const wave = Array.from({ length: 400 }, (_, i) => p(i / 10, Math.sin(i / 25) * 3))
    const less = simplify(wave, 0.2)
    expect(less.length).toBeLessThan(40)
    for (const point of wave) {
      const i = less.findIndex(({ x }, k) => x <= point.x && (less[k + 1]?.x ?? Infinity) >= point.x)
      const [a, b] = [less[i]!, less[i + 1] ?? less[i]!]
      const at = a.y + ((b.y - a.y) * (point.x - a.x)) / (b.x - a.x || 1)
      expect(Math.abs(at - point.y)).toBeLessThan(0.25)
    }
  })

  it('goes around', () => {
    const square = [p(0, 0), p(2, 0), p(4, 0), p(4, 2), p(4, 4), p(2, 4), p(0, 4), p(0, 2)]
    expect(simplifyAround(square, 0.1)).toEqual([p(0, 0), p(4, 0), p(4, 4), p(0, 4)])
  })

  it('survives thousands of corners', () => {
    const long = Array.from({ length: 2000 }, (_, i) => p(i, i % 2))
    expect(simplify(long, 0.1).length).toBe(2000)
  })

  it('makes straight what nearly is, and leaves the rest', () => {
    expect(straighten([p(0, 0), p(10, 0.4), p(10.4, 10)], false)).toEqual([p(0, 0.2), p(10.2, 0.2), p(10.2, 10)])
    expect(straighten([p(0, 0), p(5, 5)], false)).toEqual([p(0, 0), p(5, 5)])
  })

  it('keeps the largest within the bound', () => {
    const shapes = [[p(0, 0), p(1, 0)], [p(0, 0), p(9, 0)], [p(0, 0), p(5, 0)]]
    const size = (shape: { x: number }[]) => shape[1]!.x
    expect(bounded(shapes, size, { shapes: 9, corners: 4 }).map(size)).toEqual([9, 5])
    expect(bounded(shapes, size, { shapes: 1, corners: 99 }).map(size)).toEqual([9])
  })
})

describe('placeOf', () => {
  const picture = { points: [{ x: 10, y: 20 }], metresPerPx: 0.1, rotation: 0, heightPx: 100 }

  it('turns pixels that go down into metres that go up', () => {
    expect([placeOf(picture, 0, 100), placeOf(picture, 50, 0)]).toEqual([{ x: 10, y: 20 }, { x: 15, y: 30 }])
  })

  it('follows a picture that is turned clockwise around its lower left corner', () => {
    expect(placeOf({ ...picture, rotation: 90 }, 0, 0)).toEqual({ x: 20, y: 20 })
    expect(placeOf({ ...picture, rotation: 90 }, 50, 100)).toEqual({ x: 10, y: 15 })
  })

  it('makes items of what was traced smaller', () => {
    const items = itemsOf({ walls: [[{ x: 0, y: 50 }, { x: 25, y: 50 }]], rooms: [[{ x: 0, y: 0 }, { x: 5, y: 0 }, { x: 5, y: 5 }]] }, picture, 2)
    expect(items.map(({ kind }) => kind)).toEqual(['room', 'wall'])
    expect(boxOf(items[1]!.points)).toEqual({ min: { x: 10, y: 20 }, max: { x: 15, y: 20 } })
  })
})
