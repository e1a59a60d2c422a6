import { describe, expect, it } from 'vitest'
import type { HeardTag } from '@/live/table'
import { MapTagCache } from './mapTags'
import { isFiltered, noFilter, outside, passing, RowOrder, type TagFilter } from './tagRows'

const now = 1_000_000
const tag = (id: string, change: Partial<HeardTag> = {}): HeardTag => ({
  id, name: id, type: 'person', plan: 'p', x: 0, y: 0, accuracyM: 1, zone: '', rssiDbm: -60, receiver: '', at: now, state: 'present', heardAt: now, ...change,
})
const silent = { state: 'absent', at: now - 60_000 } as const
const names = (tags: HeardTag[], filter: Partial<TagFilter> = {}) =>
  new RowOrder().sort(passing(tags, { ...noFilter, ...filter }, { now, offsetMs: 0 })).map((row) => row.tag.name)

describe('tagRows', () => {
  it('puts those with news first, each part by name with numbers in order', () => {
    const tags = [tag('Tag 10'), tag('tag 2'), tag('Anna', silent), tag('Борис'), tag('Zoe')]
    expect(names(tags)).toEqual(['tag 2', 'Tag 10', 'Zoe', 'Борис', 'Anna'])
  })

  it.each<[Partial<TagFilter>, string[]]>([
    [{ query: 'MAR' }, ['Maria', 'Marta']],
    [{ query: ' фёдор' }, ['Федор']],
    [{ type: 'asset' }, ['Crate']],
    [{ zone: 'z1' }, ['Maria']],
    [{ zone: outside }, ['Crate', 'Федор', 'Marta']],
    [{ presence: 'silent' }, ['Marta']],
    [{ presence: 'present', type: 'person' }, ['Maria', 'Федор']],
    [{ query: 'nobody' }, []],
  ])('%o finds %o', (filter, want) => {
    const tags = [tag('Maria', { zone: 'z1' }), tag('Marta', silent), tag('Crate', { type: 'asset' }), tag('Федор')]
    expect(names(tags, filter)).toEqual(want)
  })

  it('knows whether anything is filtered', () => {
    expect(isFiltered(noFilter)).toBe(false)
    expect(isFiltered({ ...noFilter, zone: outside })).toBe(true)
  })
})

describe('RowOrder', () => {
  it('keeps its order as names come and go', () => {
    const order = new RowOrder()
    const sorted = (...tags: string[]) => order.sort(passing(tags.map((id) => tag(id)), noFilter, { now, offsetMs: 0 })).map(({ tag: { id } }) => id)
    expect(sorted('b 10', 'b 9')).toEqual(['b 9', 'b 10'])
    expect(sorted('b 10', 'a', 'b 9')).toEqual(['a', 'b 9', 'b 10'])
    expect(sorted('b 10', 'a')).toEqual(['a', 'b 10'])
  })
})

describe('MapTagCache', () => {
  const rowsOf = (...tags: HeardTag[]) => passing(tags, noFilter, { now, offsetMs: 0 })
  const signal = () => ', -60 dB'

  it('draws the tags of the plan only', () => {
    const drawn = new MapTagCache().draw(rowsOf(tag('a'), tag('b', { plan: 'other' })), 'p', signal)
    expect(drawn).toEqual([{ id: 'a', type: 'person', name: 'a', signal: ', -60 dB', x: 0, y: 0, accuracyM: 1, stale: false }])
  })

  it('gives the same object until something changes', () => {
    const cache = new MapTagCache()
    const a = tag('a')
    const [first] = cache.draw(rowsOf(a), 'p', signal)
    expect(first?.signal).toBe(', -60 dB')
    expect(cache.draw(rowsOf(a), 'p', signal)[0]).toBe(first)
    expect(cache.draw(rowsOf(a), 'p', () => ', -60 дБ')[0]).not.toBe(first)
    expect(cache.draw(rowsOf({ ...a, x: 1 }), 'p', signal)[0]?.x).toBe(1)
    expect(cache.draw([{ tag: a, fresh: false, ageMs: 1 }], 'p', signal)[0]?.stale).toBe(true)
  })
})
