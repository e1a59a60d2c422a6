import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { computed, watchEffect } from 'vue'
import { TestSocket } from './livetest/socket'
import { liveUrl } from './access'
import { useLiveStore } from './store'

const tag = (id: string, at = 0) => ({ id, name: id, tag_type: 'person', plan: 'p', x_m: 1, y_m: 2, at: new Date(at).toISOString() })
const probe = async () => 'ok' as const
let frames: FrameRequestCallback[]

/** Paints once. */
function paint() {
  const due = frames
  frames = []
  for (const run of due) run(0)
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  frames = []
  vi.stubGlobal('WebSocket', TestSocket)
  vi.stubGlobal('requestAnimationFrame', (run: FrameRequestCallback) => frames.push(run))
  vi.stubGlobal('cancelAnimationFrame', () => undefined)
  TestSocket.reset()
  setActivePinia(createPinia())
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function follow(location = 'one') {
  const live = useLiveStore()
  live.open(location, probe)
  TestSocket.last.accept()
  return live
}

describe('useLiveStore', () => {
  it('announces any number of messages once per frame', () => {
    const live = follow()
    let runs = 0
    watchEffect(() => {
      void live.tags.size
      runs++
    }, { flush: 'sync' })
    TestSocket.last.push({ type: 'snapshot', tags: [tag('a')] })
    for (let seq = 2; seq < 50; seq++) TestSocket.last.push({ type: 'delta', seq, tags: [tag(`t${seq}`)] })
    expect([runs, frames.length]).toEqual([1, 1])
    paint()
    expect([runs, live.tags.size]).toEqual([2, 49])
  })

  it('gives a computed over the tags the newest state', () => {
    const live = follow()
    const names = computed(() => [...live.tags.values()].map(({ name }) => name))
    expect(names.value).toEqual([])
    TestSocket.last.push({ type: 'snapshot', tags: [tag('a')] })
    paint()
    expect(names.value).toEqual(['a'])
  })

  it('forgets one location when it opens another, and keeps the same one open', () => {
    const live = follow()
    TestSocket.last.push({ type: 'snapshot', tags: [tag('a')] })
    live.open('one', probe)
    expect(TestSocket.all).toHaveLength(1)
    live.open('two', probe)
    expect(live.tags.size).toBe(0)
    expect(live.hasSnapshot).toBe(false)
    expect(TestSocket.all[0]?.isClosed).toBe(true)
  })

  it('measures the clock of the server', () => {
    const live = follow()
    TestSocket.last.push({ type: 'snapshot', at: new Date(90_000).toISOString() })
    expect(live.clockOffsetMs).toBe(90_000)
    expect(live.lastMessageAt).toBe(0)
  })

  it('rests while the browser is offline', () => {
    const live = follow()
    window.dispatchEvent(new Event('offline'))
    expect(live.status).toEqual({ kind: 'offline' })
    window.dispatchEvent(new Event('online'))
    expect(live.status).toEqual({ kind: 'connecting' })
  })

  it('is idle after closing', () => {
    const live = follow()
    live.close()
    expect(live.status).toEqual({ kind: 'idle' })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('liveUrl', () => {
  it.each([
    ['http:', 'ws://site:8080/api/v1/live'],
    ['https:', 'wss://site:8080/api/v1/live'],
  ])('%s', (protocol, want) => {
    expect(liveUrl({ protocol, host: 'site:8080' })).toBe(want)
  })
})
