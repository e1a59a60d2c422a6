import { describe, expect, it } from 'vitest'
import { area, boxOf, contains, crossings, meeting, nearestOn } from './polygon'

const p = (x: number, y: number) => ({ x, y })
const shape = (...pairs: [number, number][]) => pairs.map(([x, y]) => p(x, y))
const square = shape([0, 0], [4, 0], [4, 4], [0, 4])

describe('area and contains', () => {
  it('do not depend on the way around', () => {
    expect([area(square), area([...square].reverse())]).toEqual([16, 16])
    expect([contains(square, p(1, 1)), contains([...square].reverse(), p(1, 1)), contains(square, p(5, 1))]).toEqual([true, true, false])
  })

  it('see the notch of an L', () => {
    const l = shape([0, 0], [4, 0], [4, 1], [1, 1], [1, 4], [0, 4])
    expect([area(l), contains(l, p(3, 3)), contains(l, p(0.5, 3))]).toEqual([7, false, true])
  })
})

describe('meeting', () => {
  it.each([
    [p(0, 0), p(4, 4), p(0, 4), p(4, 0), p(2, 2)],
    [p(0, 0), p(4, 0), p(2, 0), p(2, 3), p(2, 0)],
    [p(0, 0), p(4, 0), p(0, 1), p(4, 1), undefined],
    [p(0, 0), p(1, 0), p(2, -1), p(2, 1), undefined],
    [p(0, 0), p(4, 0), p(2, 0), p(6, 0), p(2, 0)],
    [p(0, 0), p(1, 0), p(2, 0), p(3, 0), undefined],
  ])('of %o-%o and %o-%o is %o', (a, b, c, d, want) => {
    expect(meeting(a, b, c, d)).toEqual(want)
    expect(meeting(c, d, a, b) === undefined).toBe(want === undefined)
  })
})

describe('crossings', () => {
  it('finds none in simple shapes, whichever way around', () => {
    for (const one of [square, shape([0, 0], [4, 0], [2, 1], [4, 4]), shape([0, 0], [2, 0], [4, 0], [4, 4])]) {
      expect(crossings(one)).toEqual([])
      expect(crossings([...one].reverse())).toEqual([])
    }
  })

  it('tells where a bow tie crosses, and which edges do', () => {
    expect(crossings(shape([0, 0], [4, 4], [4, 0], [0, 4]))).toEqual([{ at: p(2, 2), edges: [0, 2] }])
  })

  it('tells of a border that only touches itself, or runs back', () => {
    expect(crossings(shape([0, 0], [4, 0], [4, 4], [2, 0], [0, 4])).map(({ at }) => at)).toContainEqual(p(2, 0))
    expect(crossings(shape([0, 0], [4, 0], [2, 0], [2, 3])).map(({ at }) => at)).toContainEqual(p(4, 0))
    expect(crossings(shape([0, 0], [4, 0], [4, 0], [2, 3])).length).toBeGreaterThan(0)
  })

  it('finds all of them in a star', () => {
    const star = Array.from({ length: 5 }, (_, i) => p(Math.sin((i * 4 * Math.PI) / 5), Math.cos((i * 4 * Math.PI) / 5)))
    expect(crossings(star).length).toBe(5)
  })
})

describe('nearestOn and boxOf', () => {
  it('stay on the stretch', () => {
    expect([nearestOn(p(0, 0), p(4, 0), p(1, 3)), nearestOn(p(0, 0), p(4, 0), p(9, 3)), nearestOn(p(1, 1), p(1, 1), p(5, 5))]).toEqual([p(1, 0), p(4, 0), p(1, 1)])
    expect(boxOf(square)).toEqual({ min: p(0, 0), max: p(4, 4) })
  })
})
