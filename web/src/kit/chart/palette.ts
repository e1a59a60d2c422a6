/** Colours of a chart in one theme. */
export interface Palette {
  surface: string
  ink: string
  soft: string
  line: string
  /** One colour per series, in this order; more series than colours are grouped by whoever draws them. */
  series: readonly string[]
  /** What is compared with: the earlier period. */
  earlier: string
  /** From nothing to the most, for cells and heat maps. */
  heat: readonly string[]
}

// The series were searched for the largest distance between any two of them as
// people with full colour vision and with each kind of colour blindness see
// them, at a contrast of 3:1 to the surface at least; palette.test.ts checks it.
const light: Palette = {
  surface: '#ffffff',
  ink: '#17211e',
  soft: '#55635e',
  line: '#dfe6e4',
  series: ['#0b7489', '#c38323', '#4992f2', '#964101', '#1a038a', '#551113'],
  earlier: '#7d8d87',
  heat: ['#e3f1f3', '#a9d8de', '#62b6c4', '#2a8da3', '#0f6177', '#073747'],
}

const dark: Palette = {
  surface: '#172024',
  ink: '#e7efec',
  soft: '#a3b3ad',
  line: '#28343a',
  series: ['#4dd0ea', '#e5b30b', '#ed5790', '#5e74f3', '#c4f1af', '#8a6e1f'],
  earlier: '#7f918a',
  heat: ['#1f3239', '#1d4c59', '#1f7186', '#2f9bb3', '#67c8dc', '#c6f1fa'],
}

/** The palette of a theme. */
export function paletteOf(isDark: boolean): Palette {
  return isDark ? dark : light
}

/** The step of a scale of colours for a share from 0 to 1; nothing at all has the first. */
export function heatStep(share: number, steps: number): number {
  if (!(share > 0)) return 0
  return Math.min(steps - 1, 1 + Math.floor(Math.min(1, share) * (steps - 1) - 1e-9))
}
