import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useNow } from '.'

describe('useNow', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1000 }))
  afterEach(() => void vi.useRealTimers())

  it('ticks, and stops with its scope', () => {
    const scope = effectScope()
    const now = scope.run(() => useNow({ intervalMs: 500 }))!
    expect(now.value).toBe(1000)
    vi.advanceTimersByTime(1000)
    expect(now.value).toBe(2000)
    scope.stop()
    vi.advanceTimersByTime(5000)
    expect(now.value).toBe(2000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
