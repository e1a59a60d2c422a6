export interface Backoff {
  /** First wait, milliseconds. */
  baseMs: number
  /** No wait is longer. */
  limitMs: number
}

// One second is short enough not to be noticed as an outage; half a minute
// keeps a thousand open tabs from being a load while a server is down.
export const defaultBackoff: Backoff = { baseMs: 1000, limitMs: 30_000 }

/**
 * The wait before try number `attempt` (0 is the first): doubling, and drawn
 * from its upper half so that clients that lost one server spread out.
 */
export function waitBefore(attempt: number, random: number, backoff: Backoff = defaultBackoff): number {
  const full = Math.min(backoff.limitMs, backoff.baseMs * 2 ** Math.min(attempt, 30))
  return Math.round(full * (0.5 + random / 2))
}
