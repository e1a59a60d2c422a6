import { describe, expect, it } from 'vitest'
import { flushPromises } from '@/kit/data/datatest/mountSetup'
import type { TrackPage, TrackRequest } from './buffer'
import { Player, type PlayerState } from './player'

const minute = 60_000

/** A player with a clock of its own, over a tag that walks a metre a second. */
function start(to = 10 * minute) {
  const asked: TrackRequest[] = []
  const frames: number[] = []
  const rests: number[] = []
  let tick: ((now: number) => void) | undefined
  let now = 0
  let state: PlayerState | undefined
  let failing = false
  const load = async (request: TrackRequest): Promise<TrackPage> => {
    asked.push(request)
    if (failing) throw new Error('away')
    const at = Array.from({ length: Math.ceil((request.to - request.from) / 1000) }, (_, i) => request.from + i * 1000)
    return { columns: { tag: at.map(() => 'a'), at, x: at.map((one) => one / 1000), y: at.map(() => 0), accuracy: at.map(() => 1), zone: at.map(() => ''), validMs: at.map(() => 2000) }, next: '' }
  }
  const player = new Player({
    onFrame: (_, at) => frames.push(at), onRest: (at) => rests.push(at), onState: (next) => (state = next),
    schedule: (next) => {
      tick = next
      return () => (tick = undefined)
    },
  })
  const source = { range: { from: 0, to }, speed: 10, load: () => load }
  /** Lets frames of 16 ms pass, and everything come that was asked for. */
  async function pass(count: number) {
    for (let i = 0; i < count; i++) {
      now += 16
      const due = tick
      tick = undefined
      due?.(now)
      await flushPromises()
    }
  }
  return { player, source, asked, frames, rests, pass, isIdle: () => tick === undefined, state: () => state!, fail: (is: boolean) => (failing = is) }
}

describe('Player', () => {
  it('shows the moment it is opened at, and rests', async () => {
    const { player, source, frames, pass, isIdle, state } = start()
    player.open(source, 5000)
    await pass(3)
    expect(frames.at(-1)).toBe(5000)
    expect(state()).toMatchObject({ at: 5000, isPlaying: false, isWaiting: false })
    await pass(20)
    expect(isIdle()).toBe(true)
  })

  it('plays as fast as it is told, and loads ahead of the head', async () => {
    const { player, source, asked, frames, pass } = start()
    player.open(source, 0)
    await pass(2)
    player.play()
    await pass(101)
    expect(player.at).toBe(100 * 16 * 10)
    expect(frames.every((at, i) => i === 0 || at >= frames[i - 1]!)).toBe(true)
    expect(asked.at(-1)!.to).toBeGreaterThanOrEqual(player.at + 5 * minute)
  })

  it('stops at the end, says so, and begins anew when played again', async () => {
    const { player, source, rests, pass, state } = start(minute)
    player.open({ ...source, speed: 600 }, 50_000)
    await pass(2)
    player.play()
    await pass(10)
    expect(state()).toMatchObject({ at: minute, isPlaying: false })
    expect(rests).toEqual([minute])
    player.play()
    expect(state()).toMatchObject({ at: 0, isPlaying: true })
  })

  it('tells where the person stopped or jumped, not what it plays', async () => {
    const { player, source, rests, pass } = start()
    player.open(source, 0)
    player.play()
    await pass(30)
    expect(rests).toEqual([])
    player.pause()
    player.seek(7000)
    player.seek(-5)
    expect(rests).toEqual([expect.any(Number), 7000, 0])
  })

  it('waits for what is not there, and goes on from there', async () => {
    const { player, source, pass, state, fail } = start()
    fail(true)
    player.open(source, 0)
    player.play()
    await pass(5)
    expect(state()).toMatchObject({ at: 0, isPlaying: true, isWaiting: true })
    expect(state().failure).toBeInstanceOf(Error)
    fail(false)
    player.retry()
    await pass(6)
    expect(state()).toMatchObject({ isWaiting: false, failure: undefined })
    expect(player.at).toBeGreaterThan(0)
    expect(player.at).toBeLessThan(6 * 16 * 10 + 1)
  })

  it('draws nothing more once it is stopped', async () => {
    const { player, source, frames, pass } = start()
    player.open(source, 0)
    player.play()
    await pass(3)
    player.stop()
    const drawn = frames.length
    await pass(5)
    expect(frames.length).toBe(drawn)
  })
})
