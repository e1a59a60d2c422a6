import { describe, expect, it } from 'vitest'
import { isMoving, positionAt, retarget, standing } from './motion'

describe('motion', () => {
  const start = standing({ x: 0, y: 0 })

  it('stands until it has somewhere to go', () => {
    expect(isMoving(start, 5000)).toBe(false)
    expect(positionAt(start, 5000)).toEqual({ x: 0, y: 0 })
    expect(retarget(start, { x: 0, y: 0 }, 5000)).toBe(start)
  })

  it('goes evenly and arrives exactly', () => {
    const motion = retarget(start, { x: 6, y: 3 }, 1000)
    expect(positionAt(motion, 1600)).toEqual({ x: 3, y: 1.5 })
    expect(isMoving(motion, 2199)).toBe(true)
    expect(isMoving(motion, 2200)).toBe(false)
    expect(positionAt(motion, 9000)).toEqual({ x: 6, y: 3 })
  })

  it('never leaps when it is retargeted on its way', () => {
    let motion = start
    let before = positionAt(motion, 1000)
    for (let now = 1000; now < 9000; now += 16) {
      if (now % 1008 === 0) motion = retarget(motion, { x: Math.sin(now) * 3, y: Math.cos(now) * 3 }, now)
      const at = positionAt(motion, now)
      expect(Math.hypot(at.x - before.x, at.y - before.y)).toBeLessThan(0.5)
      before = at
    }
  })

  it('takes about as long as the fixes are apart, within limits', () => {
    const first = retarget(start, { x: 1, y: 0 }, 1000)
    expect(retarget(first, { x: 2, y: 0 }, 1900).durationMs).toBe(900)
    expect(retarget(first, { x: 2, y: 0 }, 1010).durationMs).toBe(250)
    expect(retarget(first, { x: 2, y: 0 }, 60_000).durationMs).toBe(1200)
  })

  it('jumps where nobody can have walked', () => {
    const motion = retarget(start, { x: 100, y: 0 }, 1000)
    expect(positionAt(motion, 1000)).toEqual({ x: 100, y: 0 })
  })
})
