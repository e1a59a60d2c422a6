import { describe, expect, it } from 'vitest'
import { advance, aheadOf, speeds, stepOf } from './playhead'

describe('advance', () => {
  const known = { until: 100_000, to: 200_000 }

  it('goes as fast as it is told', () => {
    expect(advance(1000, 16, 1, known).at).toBe(1016)
    expect(advance(1000, 16, 600, known).at).toBe(10_600)
  })

  it('waits at the end of what is known', () => {
    expect(advance(99_000, 100, 60, known)).toEqual({ at: 100_000, isWaiting: true, isOver: false })
    expect(advance(100_000, 100, 60, known)).toEqual({ at: 100_000, isWaiting: true, isOver: false })
  })

  it('ends at the end', () => {
    expect(advance(199_000, 100, 60, { until: 200_000, to: 200_000 })).toEqual({ at: 200_000, isWaiting: false, isOver: true })
  })

  it('does not leap after a pause of the tab', () => {
    expect(advance(0, 60_000, 10, known).at).toBe(2500)
  })

  it('never goes back', () => {
    for (const at of [0, 99_999, 100_000, 150_000]) expect(advance(at, 16, 10, known).at).toBeGreaterThanOrEqual(at)
  })
})

describe('a speed', () => {
  it('has fixes for several places a second, and a bound on how many', () => {
    for (const speed of speeds) {
      const step = stepOf(speed)
      // Raw fixes come once a second at most.
      const perSecond = (speed * 1000) / Math.max(1000, step)
      expect(perSecond, `${speed}x`).toBeLessThanOrEqual(12)
      expect(aheadOf(speed)).toBeGreaterThanOrEqual(step)
    }
  })
})
