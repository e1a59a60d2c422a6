import { describe, expect, it } from 'vitest'
import { at, type Doc, edgesOf, insertPoint, type Item, itemOf, moveBy, movePoint, remove, removePoint, round, scaled, within } from './model'
import { doc, label, picture, receiver, room, wall, zone } from './editortest/items'

const plan = doc(wall('w', [0, 0], [10, 0]), room('r', [1, 1], [4, 1], [4, 3], [1, 3]), zone('z', [5, 1], [9, 1], [9, 4]))
const points = (d: Doc, id: string) => itemOf(d, id)?.points.map(({ x, y }) => [x, y])

describe('moveBy', () => {
  it('moves what is chosen, and only that', () => {
    const moved = moveBy(plan, new Set(['r', 'z']), 0.5, 1)
    expect([points(moved, 'w'), points(moved, 'r'), points(moved, 'z')]).toEqual([
      [[0, 0], [10, 0]], [[1.5, 2], [4.5, 2], [4.5, 4], [1.5, 4]], [[5.5, 2], [9.5, 2], [9.5, 5]],
    ])
    expect(itemOf(moved, 'w')).toBe(itemOf(plan, 'w'))
  })

  it('stops at the edge of the plan and keeps the form', () => {
    const moved = moveBy(plan, new Set(['z']), 100, -100)
    expect(points(moved, 'z')).toEqual([[16, 0], [20, 0], [20, 3]])
  })

  it('lets what lies outside come in, and never further out', () => {
    const out = doc(wall('w', [-5, 2], [-2, 2]))
    expect(points(moveBy(out, new Set(['w']), -1, 0), 'w')).toEqual([[-5, 2], [-2, 2]])
    expect(points(moveBy(out, new Set(['w']), 3, 0), 'w')).toEqual([[-2, 2], [1, 2]])
  })

  it('is the same document when nothing moves', () => {
    expect(moveBy(plan, new Set(['w']), 0, -3)).toBe(plan)
  })

  it('moves a picture over the edge: most of it may be margin', () => {
    expect(points(moveBy(doc(picture()), new Set(['picture']), -7, -7), 'picture')).toEqual([[-7, -7]])
  })
})

describe('remove', () => {
  it('takes items away, sets their parts free, and leaves the picture', () => {
    const parts = doc(picture(), zone('a', [0, 0], [9, 0], [9, 9]), { ...zone('b', [1, 1], [2, 1], [2, 2]), parent: 'a' } as Item)
    const left = remove(parts, new Set(['a', 'picture']))
    expect(left.items.map(({ id }) => id)).toEqual(['picture', 'b'])
    expect(itemOf(left, 'b')).toMatchObject({ parent: '' })
  })
})

describe('corners', () => {
  it('are moved, put in, and taken out as far as the shape bears it', () => {
    const triangle = zone('z', [0, 0], [4, 0], [4, 4])
    expect(movePoint(triangle, 1, at(5, 0)).points[1]).toEqual({ x: 5, y: 0 })
    const four = insertPoint(triangle, 2, at(0, 4))
    expect(four.points[3]).toEqual({ x: 0, y: 4 })
    expect(removePoint(four, 3)?.points).toEqual(triangle.points)
    expect(removePoint(triangle, 0)).toBeUndefined()
    expect(removePoint(wall('w', [0, 0], [1, 0]), 0)).toBeUndefined()
  })
})

describe('scaled', () => {
  it('changes every length and no angle, and back again', () => {
    const whole = doc(picture(), room('r', [1, 1], [2, 1], [2, 2]), label('l', 3, 4), receiver('e', 5, 6))
    const big = scaled(whole, 2)
    expect(big.bounds.max).toEqual({ x: 40, y: 30 })
    expect(itemOf(big, 'l')).toMatchObject({ sizeM: 1, points: [{ x: 6, y: 8 }] })
    expect(itemOf(big, 'picture')).toMatchObject({ metresPerPx: 0.04, rotation: 0 })
    expect(scaled(big, 0.5)).toEqual(whole)
  })
})

describe('edgesOf', () => {
  it('goes around areas and along lines', () => {
    expect([edgesOf(room('r', [0, 0], [1, 0], [1, 1])).length, edgesOf(wall('w', [0, 0], [1, 0], [1, 1])).length, edgesOf(label('l', 0, 0)).length]).toEqual([3, 2, 0])
  })
})

describe('numbers', () => {
  it('are millimetres, and never minus zero', () => {
    expect([round(1.23456), Object.is(round(-0.0001), 0)]).toEqual([1.235, true])
  })

  it('are kept within the plan', () => {
    expect(within(plan.bounds, { x: -1, y: 99 })).toEqual({ x: 0, y: 15 })
  })
})
