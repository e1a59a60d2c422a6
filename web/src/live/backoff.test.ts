import { describe, expect, it } from 'vitest'
import { defaultBackoff, waitBefore } from './backoff'

describe('waitBefore', () => {
  it.each([
    [0, 0, 500],
    [0, 1, 1000],
    [3, 1, 8000],
    [20, 1, 30_000],
    [5000, 0, 15_000],
  ])('try %i with chance %d waits %i ms', (attempt, random, want) => {
    expect(waitBefore(attempt, random)).toBe(want)
  })

  it('never shrinks from try to try and never exceeds the limit', () => {
    for (let attempt = 1; attempt < 50; attempt++) {
      expect(waitBefore(attempt, 0.5)).toBeGreaterThanOrEqual(waitBefore(attempt - 1, 0.5))
      expect(waitBefore(attempt, 1)).toBeLessThanOrEqual(defaultBackoff.limitMs)
    }
  })
})
