import { describe, expect, it } from 'vitest'
import type { LiveMessage, LiveTag } from './messages'
import { ageOf, type HeardTag, isFresh, LiveTable, staleAfterMs } from './table'

const tag = (change: Partial<LiveTag> = {}): LiveTag => ({
  id: 'a', name: 'Ann', type: 'person', plan: 'p', x: 1, y: 2, accuracyM: 1, zone: '', rssiDbm: -60, receiver: '', at: 1000, state: 'present', ...change,
})
const message = (type: LiveMessage['type'], tags: LiveTag[], zones: LiveMessage['zones'] = []): LiveMessage => ({ type, epoch: 'e', seq: 1, at: Number.NaN, tags, zones })

describe('LiveTable', () => {
  it('is replaced by a snapshot and amended by a delta', () => {
    const table = new LiveTable()
    table.apply(message('snapshot', [tag(), tag({ id: 'b' })]), 0)
    table.apply(message('delta', [tag({ x: 9, at: 2000 })]), 10_000)
    expect([...table.tags.keys()]).toEqual(['a', 'b'])
    expect(table.tags.get('a')?.x).toBe(9)
    table.apply(message('snapshot', [tag({ id: 'c' })]), 20_000)
    expect([...table.tags.keys()]).toEqual(['c'])
  })

  it('replaces entries instead of changing them, and keeps untouched ones', () => {
    const table = new LiveTable()
    table.apply(message('snapshot', [tag(), tag({ id: 'b' })]), 0)
    const [a, b] = [table.tags.get('a'), table.tags.get('b')]
    table.apply(message('delta', [tag({ at: 2000 })]), 5000)
    expect(table.tags.get('a')).not.toBe(a)
    expect(table.tags.get('b')).toBe(b)
  })

  it('drops what is gone and ignores a gap', () => {
    const table = new LiveTable()
    const zone = { id: 'z', name: 'Z', plan: 'p', occupancy: 2, gone: false }
    table.apply(message('snapshot', [tag()], [zone]), 0)
    table.apply(message('gap', []), 1)
    expect(table.tags.size + table.zones.size).toBe(2)
    table.apply(message('delta', [tag({ state: 'gone' })], [{ ...zone, gone: true }]), 2)
    expect(table.tags.size + table.zones.size).toBe(0)
  })

  it('counts only newer event times as news, and not the rest of a cut snapshot', () => {
    const table = new LiveTable()
    table.apply(message('snapshot', [tag()]), 0)
    table.apply(message('delta', [tag({ id: 'rest' })]), 500)
    table.apply(message('delta', [tag({ state: 'absent' })]), 20_000)
    table.apply(message('delta', [tag({ id: 'new' })]), 20_000)
    const heard = (id: string) => table.tags.get(id)?.heardAt
    expect([heard('a'), heard('rest'), heard('new')]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 20_000])
  })
})

describe('freshness', () => {
  const now = 1_000_000
  const heard = (change: Partial<HeardTag>): HeardTag => ({ ...tag(), heardAt: Number.NEGATIVE_INFINITY, at: 0, ...change })

  it.each([
    ['a recent event time', heard({ at: now - 1000 }), true],
    ['an old event time', heard({ at: now - staleAfterMs - 1 }), false],
    ['a recording that moves now', heard({ heardAt: now - 1000 }), true],
    ['an absent tag', heard({ at: now, heardAt: now, state: 'absent' }), false],
  ])('%s: %o', (_, entry, want) => {
    expect(isFresh(entry, now)).toBe(want)
  })

  it("follows the server's clock, not the browser's", () => {
    const serverAhead = 3_600_000
    expect(isFresh(heard({ at: now + serverAhead - 1000 }), now, serverAhead)).toBe(true)
    expect(isFresh(heard({ at: now }), now, serverAhead)).toBe(false)
  })

  it('says the age of the news while it is news, else of the event', () => {
    expect(ageOf(heard({ heardAt: now - 7000 }), now)).toBe(7000)
    expect(ageOf(heard({ at: now - 90_000 }), now)).toBe(90_000)
    expect(ageOf(heard({ at: now + 5000 }), now)).toBe(0)
  })
})
