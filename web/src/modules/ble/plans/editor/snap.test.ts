import { describe, expect, it } from 'vitest'
import { room, wall } from './editortest/items'
import { gridFor, snap, type SnapTo } from './snap'

const p = (x: number, y: number) => ({ x, y })
const items = [room('r', [0, 0], [10, 0], [10, 8], [0, 8]), wall('w', [2, 2], [6, 6])]
const to = (change: Partial<SnapTo> = {}): SnapTo => ({ items, gridM: 0, reachM: 0.3, ...change })

describe('snap', () => {
  it('prefers a corner to the edges that meet there and to the grid', () => {
    expect(snap(p(9.9, 7.8), to({ gridM: 0.5 }))).toEqual({ point: p(10, 8), kind: 'corner' })
  })

  it('takes the nearest of two corners', () => {
    const close = [wall('a', [0, 0], [0.2, 0])]
    expect(snap(p(0.15, 0), to({ items: close })).point).toEqual(p(0.2, 0))
  })

  it('draws to an edge at a right angle to it', () => {
    expect(snap(p(4.1, 0.2), to())).toEqual({ point: p(4.1, 0), kind: 'edge' })
    expect(snap(p(4.2, 4), to())).toEqual({ point: p(4.1, 4.1), kind: 'edge' })
  })

  it('does not reach further than it is told', () => {
    expect(snap(p(5, 0.31), to())).toEqual({ point: p(5, 0.31), kind: 'none' })
    expect(snap(p(5, 0.31), to({ reachM: 0.4 })).kind).toBe('edge')
  })

  it('keeps to right angles from the corner before', () => {
    expect(snap(p(3.1, 5.5), to({ from: p(3, 1) }))).toEqual({ point: p(3, 5.5), kind: 'angle' })
  })

  it('keeps to right angles to a stretch that is askew', () => {
    const free = to({ items: [], before: p(0, 0), from: p(3, 4), reachM: 0.2 })
    // (3, 4) turned left is (-4, 3); a little beside it.
    const { point, kind } = snap(p(3 - 4 + 0.05, 4 + 3 + 0.05), free)
    expect(kind).toBe('angle')
    expect((point.x - 3) * 3 + (point.y - 4) * 4).toBeCloseTo(0, 2)
  })

  it('ends a right angle exactly on the wall it meets', () => {
    expect(snap(p(5.2, 0.1), to({ from: p(5, 3) }))).toEqual({ point: p(5, 0), kind: 'crossing' })
  })

  it('measures a right angle in steps of the grid', () => {
    expect(snap(p(3.05, 4.93), to({ items: [], from: p(3, 1), gridM: 1 }))).toEqual({ point: p(3, 5), kind: 'angle' })
  })

  it('does not turn about a point that is the corner itself', () => {
    expect(snap(p(3.1, 1.1), to({ items: [], from: p(3, 1) }))).toEqual({ point: p(3.1, 1.1), kind: 'none' })
  })

  it('uses the grid where nothing else is', () => {
    expect(snap(p(4.9, 5.6), to({ items: [], gridM: 0.5 }))).toEqual({ point: p(5, 5.5), kind: 'grid' })
    expect(snap(p(4.75, 5.75), to({ items: [], gridM: 0.5, reachM: 0.1 })).kind).toBe('none')
  })
})

describe('gridFor', () => {
  it.each([[1, 20], [10, 2], [20, 1], [50, 0.5], [120, 0.1], [256, 0.05]])('at %d px/m is %d m', (pxPerMetre, want) => {
    expect(gridFor(pxPerMetre)).toBeCloseTo(want, 9)
    expect(gridFor(pxPerMetre) * pxPerMetre).toBeGreaterThanOrEqual(12 - 1e-6)
  })
})
