import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { diff, same } from './changes'
import { counts, desk, extra, start } from './editortest/desk'
import { zone } from './editortest/items'
import { randomDoc, randomEdit, randomOf } from './editortest/random'
import { PlanServer, type Weather } from './editortest/server'
import { add } from './model'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('closing', () => {
  const much = add(start, zone('a', [0, 0], [1, 0], [1, 1]), zone('b', [0, 0], [1, 0], [1, 1]), extra)

  it.each([['while the person rests', false], ['while it is saving', true]])('brings all that there is, %s', async (_, isSaving) => {
    const { server, saver, drafts } = desk()
    saver.edit(much)
    if (isSaving) void saver.flush()
    await saver.close()
    expect([server.done.length, counts(server.doc), drafts.kept.size]).toEqual([3, counts(much), 0])
  })

  it('tries no more than once where there is no network, and keeps the draft', async () => {
    const { server, saver, drafts } = desk()
    server.weather = ['good', 'away']
    saver.edit(much)
    await saver.close()
    expect([server.done.length, vi.getTimerCount()]).toEqual([1, 0])
    expect(same(drafts.kept.get('p here')!.current, much)).toBe(true)
  })
})

describe('in any weather', () => {
  it('ends with the server having exactly what the person sees', async () => {
    const random = randomOf(23)
    for (let round = 0; round < 60; round++) {
      const server = new PlanServer(randomDoc(random))
      const { saver, drafts } = desk(server)
      let now = server.doc
      for (let step = 0; step < 12; step++) {
        now = randomEdit(now, random)
        saver.edit(now)
        server.weather = Array.from({ length: 3 }, (): Weather => (['good', 'away', 'lost answer'] as const)[Math.floor(random() * 3)] as Weather)
        await wait(random() * 3000)
      }
      server.weather = []
      await wait(120_000)
      expect(saver.state.kind).toBe('saved')
      expect(drafts.kept.size).toBe(0)
      expect(counts(server.doc)).toEqual(counts(now))
      expect(diff({ ...server.doc, items: server.doc.items.filter(({ kind }) => kind === 'wall' || kind === 'room') }, { ...now, items: now.items.filter(({ kind }) => kind === 'wall' || kind === 'room') })).toEqual([])
    }
  })
})
