import { describe, expect, it } from 'vitest'
import type { Coverage } from '../types'
import { heardOn, poorShareOf } from './coverage'
import { doc, noGo } from './editortest/items'

// Over a plan of 20 by 15 metres; those of `large` have all but one their middle beyond its edge.
const coverage: Coverage = { min_x: 0, min_y: 0, cell_m: 8, columns: 3, rows: 2, heard: [1, 2, 3, 4, 5, 6], accuracy_m: [] }
const large = { ...coverage, cell_m: 15, columns: 2, heard: [3, 0, 0, 0] }

describe('coverage', () => {
  it('is told of the plan only', () => {
    expect(heardOn(doc(), coverage)).toEqual([1, 2, 3, 4, 5, 6])
    expect(heardOn(doc(), large)).toEqual([3, undefined, undefined, undefined])
  })

  it('is not told of where nobody can go', () => {
    expect(heardOn(doc(noGo('n', [0, 0], [8, 0], [8, 8], [0, 8])), coverage)).toEqual([undefined, 2, 3, 4, 5, 6])
  })

  it('counts nothing but that', () => {
    expect(poorShareOf(heardOn(doc(), large))).toBe(0)
    expect(poorShareOf(heardOn(doc(), coverage))).toBeCloseTo(1 / 3)
    expect(poorShareOf([undefined])).toBeUndefined()
  })
})
