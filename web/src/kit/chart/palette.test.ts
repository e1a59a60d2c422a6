import { describe, expect, it } from 'vitest'
import { contrast, distance, oklab, visions } from './charttest/colour'
import { heatStep, paletteOf } from './palette'

describe.each([['light', false], ['dark', true]])('the %s palette', (_, isDark) => {
  const palette = paletteOf(isDark)

  it('has text that can be read', () => {
    expect(contrast(palette.ink, palette.surface)).toBeGreaterThan(7)
    expect(contrast(palette.soft, palette.surface)).toBeGreaterThan(4.5)
  })

  it('has series that stand out from the surface', () => {
    for (const colour of [...palette.series, palette.earlier]) expect(contrast(colour, palette.surface), colour).toBeGreaterThan(3)
  })

  it.each(visions)('has series that are told apart with %s vision', (vision) => {
    palette.series.forEach((a, i) => palette.series.slice(i + 1).forEach((b) => expect(distance(a, b, vision), `${a} ${b}`).toBeGreaterThan(0.12)))
  })

  it.each(visions)('has a heat scale that only grows with %s vision', (vision) => {
    const lightness = palette.heat.map((colour) => oklab(colour, vision)[0] * (isDark ? 1 : -1))
    lightness.slice(1).forEach((value, i) => expect(value - (lightness[i] ?? 0), palette.heat[i]).toBeGreaterThan(0.05))
  })
})

describe('heatStep', () => {
  it.each([[0, 0], [Number.NaN, 0], [0.0001, 1], [0.2, 1], [0.21, 2], [0.5, 3], [0.99, 5], [1, 5], [7, 5]])('of %d is %i', (share, step) => {
    expect(heatStep(share, 6)).toBe(step)
  })
})
