import { describe, expect, it } from 'vitest'
import { binsOf } from './histogram'

const sum = (counts: { count: number }[]) => counts.reduce((total, { count }) => total + count, 0)

describe('binsOf', () => {
  it('is empty for nothing', () => expect(binsOf([])).toEqual([]))

  it('has one bin when all are the same', () => expect(binsOf([0, 0])).toEqual([{ from: 0, to: 1, count: 2 }]))

  it('counts a value at a border in the upper bin', () => {
    const bins = binsOf([0, 59, 60, 61, 119, 120, 900])
    expect(bins[0]?.from).toBe(0)
    expect(bins.find(({ from }) => from === 60)?.count).toBe(3)
  })

  it('never loses or invents one, and has no more bins than asked for', () => {
    for (let n = 1; n < 60; n++) {
      const values = Array.from({ length: n }, (_, i) => ((i * 7919 + n * 104_729) % 100_003) * (n % 9 === 0 ? 100 : 1))
      const bins = binsOf(values)
      expect(sum(bins)).toBe(n)
      expect(bins.length).toBeLessThanOrEqual(17)
      bins.slice(1).forEach((bin, i) => expect(bin.from).toBe(bins[i]?.to))
    }
  })

  it('does not let one extreme squeeze the rest', () => {
    const bins = binsOf([...Array.from({ length: 99 }, (_, i) => i), 1e9])
    expect(bins.length).toBeGreaterThan(8)
    expect(sum(bins)).toBe(100)
  })
})
