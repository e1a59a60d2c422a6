import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/errors'
import { same } from './changes'
import { counts, desk, extra, start } from './editortest/desk'
import { room, zone } from './editortest/items'
import { MemoryDrafts, PlanServer, type Weather } from './editortest/server'
import { add, type Doc, type Item, itemOf, moveBy, ofKind, remove } from './model'
import { restMs } from './saver'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('saving', () => {
  it('happens once the person rests, and once', async () => {
    const { server, saver, states, drafts } = desk()
    saver.edit(add(start, extra))
    await wait(restMs / 2)
    const both = add(start, extra, room('r', [1, 1], [2, 1], [2, 2]))
    saver.edit(both)
    await wait(restMs - 1)
    expect(server.done).toEqual([])
    await wait(1)
    expect(server.done.map(({ kind }) => kind)).toEqual(['drawing'])
    expect(same(server.doc, both)).toBe(true)
    expect(states).toEqual(['dirty', 'saving', 'saved'])
    expect(drafts.kept.size).toBe(0)
    await wait(60_000)
    expect(server.done.length).toBe(1)
  })

  it('sends nothing for what was undone in time', async () => {
    const { server, saver, drafts } = desk()
    saver.edit(add(start, extra))
    saver.edit(start)
    await wait(restMs * 2)
    expect([server.done, drafts.kept.size, saver.state.kind]).toEqual([[], 0, 'saved'])
  })

  it('uses one key for one set of changes, and another for the next', async () => {
    const { server, saver } = desk()
    const one = add(start, zone('a', [0, 0], [1, 0], [1, 1]), zone('b', [0, 0], [1, 0], [1, 1]))
    saver.edit(one)
    await saver.flush()
    saver.edit(moveBy(one, new Set(['w']), 0, 2))
    await saver.flush()
    expect(server.keys).toEqual(['set1.0', 'set1.1', 'set2.0'])
  })

  it('goes on with what was changed while it was saving', async () => {
    const { server, saver } = desk()
    saver.edit(add(start, extra))
    const first = saver.flush()
    const last = add(start, extra, room('r', [1, 1], [2, 1], [2, 2]))
    saver.edit(last)
    await first
    await saver.flush()
    expect(same(server.doc, last)).toBe(true)
    expect(saver.state.kind).toBe('saved')
  })

  it.each<[Weather[]]>([[[]], [['lost answer']], [['away', 'lost answer']]])('has one request on its way, however often it is asked at once (%j)', async (weather) => {
    const { server, saver } = desk()
    server.weather = [...weather]
    const one = add(start, zone('a', [0, 0], [1, 0], [1, 1]))
    saver.edit(one)
    const first = saver.flush()
    const last = add(one, zone('b', [0, 0], [1, 0], [1, 1]), extra)
    saver.edit(last)
    await Promise.all([first, saver.flush(), saver.flush()])
    await wait(10_000)
    expect([saver.state.kind, server.most, counts(server.doc)]).toEqual(['saved', 1, counts(last)])
  })

  it('knows what it added by the server’s id, also after it was taken away and undone', async () => {
    const { server, saver, heard } = desk()
    const added = add(start, zone('a', [0, 0], [1, 0], [1, 1]), { ...zone('b', [0, 0], [1, 0], [1, 1]), parent: 'a' } as Item)
    saver.edit(added)
    await saver.flush()
    expect(ofKind(heard.at(-1)!, 'zone').map(({ id, number, parent }) => [id, number, parent])).toEqual([['z', 1, ''], ['a', 41, ''], ['b', 42, 'a']])
    saver.edit(moveBy(added, new Set(['b']), 3, 0))
    await saver.flush()
    expect(server.done.at(-1)).toMatchObject({ kind: 'change', part: { id: 'server 2', parent: 'server 1' } })
    saver.edit(remove(added, new Set(['a'])))
    await saver.flush()
    saver.edit(added)
    await saver.flush()
    expect(ofKind(server.doc, 'zone').map(({ id, parent }) => [id, parent])).toEqual([['z', ''], ['server 2', 'server 3'], ['server 3', '']])
    expect(saver.state.kind).toBe('saved')
  })
})

describe('without a network', () => {
  it('waits, says so, and sends the same again by itself', async () => {
    const { server, saver, states, drafts } = desk()
    server.weather = ['away', 'away']
    const next = add(start, extra)
    saver.edit(next)
    await wait(restMs)
    expect(saver.state).toEqual({ kind: 'waiting', failure: 'away' })
    expect(same(drafts.kept.get('p here')!.current, next)).toBe(true)
    await wait(2000)
    expect(saver.state.kind).toBe('waiting')
    await wait(4000)
    expect(saver.state.kind).toBe('saved')
    expect([server.done.length, same(server.doc, next), states.at(-1)]).toEqual([1, true, 'saved'])
  })

  it('does nothing twice when only the answer was lost', async () => {
    const { server, saver } = desk()
    server.weather = ['lost answer']
    const next = add(start, zone('a', [0, 0], [1, 0], [1, 1]))
    saver.edit(next)
    await saver.flush()
    expect(ofKind(server.doc, 'zone').length).toBe(2)
    await wait(2000)
    expect([saver.state.kind, ofKind(server.doc, 'zone').length, server.keys]).toEqual(['saved', 2, ['set1.0', 'set1.0']])
  })

  it('understands that a drawing arrived although nobody said so', async () => {
    const { server, saver } = desk()
    server.weather = ['lost answer']
    saver.edit(add(start, extra))
    await saver.flush()
    await wait(2000)
    expect([saver.state.kind, server.done.length, ofKind(server.doc, 'wall').length]).toEqual(['saved', 1, 2])
  })

  it.each(['away', 'forbidden'] as const)('goes on by itself when only reading the plan anew failed (%s)', async (failure) => {
    const { server, saver } = desk()
    vi.spyOn(server, 'load').mockRejectedValueOnce(new ApiError(failure, 'not now'))
    const next = add(start, zone('a', [0, 0], [1, 0], [1, 1]), extra)
    saver.edit(next)
    await saver.flush()
    expect([saver.state.kind, server.done.length]).toEqual(['waiting', 1])
    await wait(2000)
    expect([saver.state.kind, counts(server.doc)]).toEqual(['saved', counts(next)])
  })

  it('finishes what was on its way before it sends what came later', async () => {
    const { server, saver } = desk()
    server.weather = ['lost answer']
    const one = add(start, zone('a', [0, 0], [1, 0], [1, 1]))
    saver.edit(one)
    await saver.flush()
    const two = moveBy(one, new Set(['a']), 4, 4)
    saver.edit(two)
    await wait(4000)
    expect(saver.state.kind).toBe('saved')
    expect(server.done.map(({ kind }) => kind)).toEqual(['add', 'change'])
    expect(itemOf(server.doc, 'server 1')?.points).toEqual(itemOf(two, 'a')?.points)
  })

  it('takes away only once', async () => {
    const { server, saver } = desk()
    server.weather = ['lost answer']
    saver.edit(remove(start, new Set(['z'])))
    await saver.flush()
    await wait(2000)
    expect([saver.state.kind, ofKind(server.doc, 'zone').length]).toEqual(['saved', 0])
  })

  it('is taken up by the next page where it was left', async () => {
    const drafts = new MemoryDrafts()
    const server = new PlanServer(start)
    const before = desk(server, drafts)
    server.weather = ['lost answer', 'away']
    const meant = add(start, zone('a', [0, 0], [1, 0], [1, 1]), extra)
    before.saver.edit(meant)
    await before.saver.flush()
    await before.saver.close()
    const after = desk(server, drafts, 'next')
    after.saver.resume(drafts.kept.get('p here')!)
    await Promise.resolve().then(() => undefined)
    expect([...drafts.kept.keys()]).toEqual(['p next'])
    await after.saver.flush()
    expect(after.saver.state.kind).toBe('saved')
    expect([ofKind(server.doc, 'zone').length, ofKind(server.doc, 'wall').length]).toEqual([2, 2])
    expect(drafts.kept.size).toBe(0)
  })
})

describe('when others edit, too', () => {
  it('is not disturbed by a tag that changed for nothing', async () => {
    const { server, saver } = desk()
    server.touch()
    saver.edit(add(start, extra))
    await saver.flush()
    expect([saver.state.kind, server.done.length]).toEqual(['saved', 1])
  })

  async function clash(mine: Doc, theirs: (old: Doc) => Doc) {
    const all = desk()
    all.server.foreign(theirs)
    all.saver.edit(mine)
    await all.saver.flush()
    return all
  }

  it('asks, and says who it was', async () => {
    const { server, saver } = await clash(add(start, extra), (old) => remove(old, new Set(['e'])))
    expect(saver.state).toEqual({ kind: 'conflict', author: { by: 'Maria', at: '2026-01-02T03:04:05Z' } })
    expect(server.done).toEqual([])
    await wait(60_000)
    expect(server.done).toEqual([])
  })

  it('takes theirs', async () => {
    const { server, saver } = await clash(add(start, extra), (old) => remove(old, new Set(['e'])))
    const now = saver.resolve('theirs')
    await saver.flush()
    expect([same(now, server.doc), server.done, saver.state.kind]).toEqual([true, [], 'saved'])
  })

  it('puts mine upon theirs', async () => {
    const { server, saver } = await clash(add(start, extra), (old) => remove(old, new Set(['e'])))
    const now = saver.resolve('mine')
    await saver.flush()
    expect(saver.state.kind).toBe('saved')
    expect(same(now, server.doc)).toBe(true)
    expect([ofKind(server.doc, 'wall').length, ofKind(server.doc, 'receiver').length]).toEqual([2, 0])
  })

  it('keeps what is edited before the person decides', async () => {
    const { server, saver } = await clash(add(start, extra), (old) => moveBy(old, new Set(['z']), 1, 0))
    saver.edit(add(start, extra, room('r', [1, 1], [2, 1], [2, 2])))
    await wait(10_000)
    expect(saver.state.kind).toBe('conflict')
    saver.resolve('mine')
    await saver.flush()
    expect([ofKind(server.doc, 'room').length, ofKind(server.doc, 'wall').length]).toEqual([1, 2])
  })

  it('notices somebody who came after an addition', async () => {
    const { server, saver } = desk()
    server.foreign((old) => moveBy(old, new Set(['w']), 0, 3))
    saver.edit(add(start, zone('a', [0, 0], [1, 0], [1, 1])))
    await saver.flush()
    expect(saver.state.kind).toBe('conflict')
    saver.resolve('mine')
    await saver.flush()
    expect([saver.state.kind, ofKind(server.doc, 'zone').length]).toEqual(['saved', 2])
  })
})

describe('refused', () => {
  it('says what and why, and tries again with the next edit only', async () => {
    const { server, saver, drafts } = desk()
    server.refuse = new ApiError('invalid', 'crosses itself', undefined, { polygon: 'edges 0 and 2 cross' })
    saver.edit(add(start, zone('a', [0, 0], [1, 1], [1, 0])))
    await saver.flush()
    expect(saver.state).toMatchObject({ kind: 'refused', op: { kind: 'add', part: { id: 'a' } }, error: server.refuse })
    await wait(60_000)
    expect(drafts.kept.size).toBe(1)
    server.refuse = undefined
    saver.edit(add(start, zone('a', [0, 0], [1, 0], [1, 1])))
    await wait(restMs)
    expect([saver.state.kind, ofKind(server.doc, 'zone').length]).toEqual(['saved', 2])
  })
})
