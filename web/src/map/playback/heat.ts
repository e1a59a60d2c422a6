import type { HeatGrid } from './types'

/** From the least to the most: also told apart without red and green, and on a light and a dark plan. */
export const heatColours = ['#fbe08a', '#f6b04a', '#e9763a', '#c8424e', '#8e2a68', '#501a6b'] as const
// The least must let the plan be seen, the most must be read at a glance.
const alphas = [0.3, 0.55, 0.65, 0.72, 0.78, 0.84] as const

/**
 * The step of a value. Steps are of the square root: dwell is concentrated in a
 * few cells, and an even scale would show nothing but them.
 */
export function heatLevel(value: number, most: number): number {
  if (!(value > 0) || !(most > 0)) return -1
  return Math.min(heatColours.length - 1, Math.floor(Math.sqrt(Math.min(1, value / most)) * heatColours.length))
}

/** From which value on each colour stands, for the legend. */
export function heatBorders(most: number): number[] {
  return heatColours.map((_, level) => (level / heatColours.length) ** 2 * most)
}

/** The grid as pixels, its top row first, red, green, blue and alpha of each. */
export function heatPixels({ columns, rows, values, most }: HeatGrid): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(columns * rows * 4)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const level = heatLevel(values[row * columns + column] ?? 0, most)
      if (level < 0) continue
      const colour = Number.parseInt((heatColours[level] as string).slice(1), 16)
      pixels.set([colour >> 16, (colour >> 8) & 255, colour & 255, (alphas[level] as number) * 255], ((rows - 1 - row) * columns + column) * 4)
    }
  }
  return pixels
}
