import { describe, expect, it } from 'vitest'
import { levelLabel, levelOf, occupancyLevels } from './occupancy'
import { scaleBar } from './scale'

describe('levelOf', () => {
  it.each([[0, 0], [1, 1], [2, 1], [3, 2], [5, 2], [6, 3], [10, 3], [11, 4], [5000, 4]])('%i tags: level %i', (tags, level) => {
    expect(levelOf(tags)).toBe(level)
  })

  it('is what the legend says', () => {
    expect(occupancyLevels.map((_, level) => levelLabel(level))).toEqual(['0', '1–2', '3–5', '6–10', '11+'])
  })
})

describe('scaleBar', () => {
  it.each([[1, 100, 100], [22, 110, 5], [27, 110, 2], [128, 110, 0.5], [0.3, 110, 200]])('%d px/m within %i px is %d m', (scale, room, metres) => {
    expect(scaleBar(scale, room).metres).toBeCloseTo(metres)
  })

  it('always fits and fills at least two fifths', () => {
    for (let scale = 0.05; scale < 300; scale *= 1.07) {
      const { widthPx } = scaleBar(scale, 110)
      expect(widthPx).toBeLessThanOrEqual(110.0001)
      expect(widthPx).toBeGreaterThanOrEqual(110 * 0.4 - 0.0001)
    }
  })
})
