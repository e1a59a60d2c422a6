export const speeds = [1, 2, 5, 10, 30, 60, 120, 300, 600] as const
export type Speed = (typeof speeds)[number]

/** The fixes that a speed needs: so many milliseconds apart that a second on the clock has about ten places of each tag. */
export function stepOf(speed: number): number {
  if (speed <= 10) return 0
  if (speed <= 60) return 5000
  return speed <= 300 ? 30_000 : 60_000
}

/** How far ahead fixes are wanted: half a minute on the clock. */
export function aheadOf(speed: number): number {
  return Math.max(60_000, speed * 30_000)
}

export interface Advance {
  at: number
  /** It would go on if it knew more. */
  isWaiting: boolean
  isOver: boolean
}

/** Where the head is after so many milliseconds on the clock; it never passes what is known, nor the end. */
export function advance(at: number, elapsedMs: number, speed: number, known: { until: number; to: number }): Advance {
  const wanted = at + Math.min(elapsedMs, longestFrameMs) * speed
  if (wanted >= known.to && known.until >= known.to) return { at: known.to, isWaiting: false, isOver: true }
  if (wanted > known.until) return { at: Math.max(at, known.until), isWaiting: true, isOver: false }
  return { at: wanted, isWaiting: false, isOver: false }
}

// A tab that was hidden goes on where it was instead of leaping.
const longestFrameMs = 250
