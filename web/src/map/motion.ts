import type { MapPoint } from './types'

/** A marker's way from where it was shown to its newest fix. Times in milliseconds. */
export interface Motion {
  readonly from: MapPoint
  readonly to: MapPoint
  readonly startedAt: number
  readonly durationMs: number
}

// Fixes come once a second: a motion that takes about as long as the tag took
// until its next fix looks like walking. The limits keep a tag that was
// silent for long from crawling and bursts from twitching.
const shortestMs = 250
const longestMs = 1200
// Nobody walks this far between two fixes: it was elsewhere, so it jumps.
const jumpM = 30

/** A marker that stands still. */
export function standing(at: MapPoint): Motion {
  return { from: at, to: at, startedAt: 0, durationMs: 0 }
}

/** Continues from wherever `motion` is now towards a new fix. */
export function retarget(motion: Motion, to: MapPoint, now: number): Motion {
  if (to.x === motion.to.x && to.y === motion.to.y) return motion
  const from = positionAt(motion, now)
  if (Math.hypot(to.x - from.x, to.y - from.y) > jumpM) return { ...standing(to), startedAt: now }
  const sinceLast = motion.startedAt === 0 ? longestMs : now - motion.startedAt
  return { from, to, startedAt: now, durationMs: Math.min(longestMs, Math.max(shortestMs, sinceLast)) }
}

export function positionAt(motion: Motion, now: number): MapPoint {
  const share = motion.durationMs === 0 ? 1 : (now - motion.startedAt) / motion.durationMs
  if (share >= 1) return motion.to
  const k = Math.max(0, share)
  return {
    x: motion.from.x + (motion.to.x - motion.from.x) * k,
    y: motion.from.y + (motion.to.y - motion.from.y) * k,
  }
}

export function isMoving(motion: Motion, now: number): boolean {
  return now < motion.startedAt + motion.durationMs
}
