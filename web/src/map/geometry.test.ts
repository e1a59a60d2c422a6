import { describe, expect, it } from 'vitest'
import { labelChord } from './geometry'
import type { MapPoint } from './types'

const polygon = (...pairs: [number, number][]): MapPoint[] => pairs.map(([x, y]) => ({ x, y }))
const square = polygon([0, 0], [10, 0], [10, 10], [0, 10])
const ell = polygon([0, 0], [12, 0], [12, 3], [3, 3], [3, 12], [0, 12])
const horseshoe = polygon([0, 0], [10, 0], [10, 8], [8, 8], [8, 2], [2, 2], [2, 8], [0, 8])

/** Whether a point is inside, by counting crossings. */
function contains(shape: MapPoint[], p: MapPoint): boolean {
  return shape.reduce((inside, a, i) => {
    const b = shape[(i + 1) % shape.length]!
    if (a.y > p.y === b.y > p.y) return inside
    return p.x < a.x + ((p.y - a.y) / (b.y - a.y)) * (b.x - a.x) ? !inside : inside
  }, false)
}

describe('labelChord', () => {
  it.each([['square', square], ['ell', ell], ['horseshoe', horseshoe]])('lies inside the %s', (_, shape) => {
    const chord = labelChord(shape)
    for (const share of [0.02, 0.5, 0.98]) {
      expect(contains(shape, { x: chord!.left + chord!.width * share, y: chord!.y })).toBe(true)
    }
  })

  it('stands at the top of a plain room and in the broad part of an L', () => {
    expect(labelChord(square)!.y).toBeGreaterThan(8)
    expect(labelChord(ell)).toMatchObject({ left: 0, width: 12 })
  })

  it('is undefined without area', () => {
    expect(labelChord(polygon([0, 0], [5, 0], [9, 0]))).toBeUndefined()
  })
})
