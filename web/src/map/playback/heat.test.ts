import { describe, expect, it } from 'vitest'
import { oklab, visions } from '@/kit/chart/charttest/colour'
import { heatBorders, heatColours, heatLevel, heatPixels } from './heat'

describe('the scale', () => {
  it.each([[0, -1], [-1, -1], [Number.NaN, -1], [1e-9, 0], [99, 5], [100, 5], [1000, 5]])('of %d of 100 is %i', (value, level) => {
    expect(heatLevel(value, 100)).toBe(level)
  })

  it('is none when there is nothing at all', () => expect(heatLevel(0, 0)).toBe(-1))

  it('begins each colour where the legend says so', () => {
    heatBorders(3600).forEach((border, level) => {
      expect(heatLevel(border + 1e-6, 3600)).toBe(level)
      if (level > 0) expect(heatLevel(border - 1e-6, 3600)).toBe(level - 1)
    })
  })

  it.each(visions)('only grows darker with %s vision', (vision) => {
    heatColours.slice(1).forEach((colour, i) => expect(oklab(heatColours[i]!, vision)[0] - oklab(colour, vision)[0]).toBeGreaterThan(0.04))
  })
})

describe('the pixels', () => {
  it('have the upper row of the plan first, and nothing where nobody was', () => {
    const pixels = heatPixels({ min: { x: 0, y: 0 }, cellM: 1, columns: 2, rows: 2, values: [0, 0, 100, 0], most: 100 })
    expect([...pixels.slice(0, 3)]).toEqual([0x50, 0x1a, 0x6b])
    expect([...pixels.slice(4)].every((value) => value === 0)).toBe(true)
  })
})
