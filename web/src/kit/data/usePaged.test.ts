import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef } from 'vue'
import type { Page, PageRequest } from './types'
import { usePaged, type UsePagedOptions } from './usePaged'

interface Row { id: string }
interface Filter { query: string }

/** A server with rows 0..total-1 whose answers come when the test lets them. */
function server(total: number) {
  const asked: { filter: Filter; page: PageRequest; answer: () => void; fail: () => void }[] = []
  const load = (filter: Filter, page: PageRequest) =>
    new Promise<Page<Row>>((resolve, reject) => {
      const from = Number(page.cursor ?? 0)
      const to = Math.min(total, from + page.limit)
      const items = Array.from({ length: to - from }, (_, i) => ({ id: `${filter.query}${from + i}` }))
      asked.push({ filter, page, answer: () => resolve({ items, next: to < total ? String(to) : '' }), fail: () => reject(new Error('no')) })
    })
  const last = () => asked.at(-1)!
  return { asked, last, load }
}

const settled = async () => {
  await nextTick()
  await Promise.resolve()
  await nextTick()
}

function setup(total: number, change: Partial<UsePagedOptions<Row, Filter>> = {}) {
  const back = server(total)
  const query = shallowRef<Filter>({ query: '' })
  const scope = effectScope()
  const paged = scope.run(() => usePaged<Row, Filter>({ load: back.load, query, limit: 2, ...change }))!
  const ids = () => paged.items.value.map(({ id }) => id)
  return { ...back, query, scope, paged, ids }
}

afterEach(() => void vi.useRealTimers())

describe('usePaged', () => {
  it('walks to the end and back', async () => {
    const { paged, last, ids } = setup(5)
    expect(paged.state.value).toBe('loading')
    last().answer()
    await settled()
    expect([ids(), paged.hasPrevious.value, paged.hasNext.value]).toEqual([['0', '1'], false, true])
    for (const want of [['2', '3'], ['4']]) {
      void paged.next()
      last().answer()
      await settled()
      expect(ids()).toEqual(want)
    }
    expect([paged.page.value, paged.hasNext.value]).toEqual([3, false])
    void paged.previous()
    last().answer()
    await settled()
    expect([ids(), paged.page.value]).toEqual([['2', '3'], 2])
  })

  it('drops an answer that was overtaken', async () => {
    const { asked, query, ids } = setup(5)
    query.value = { query: 'b' }
    await nextTick()
    expect(asked.length).toBe(2)
    asked[1]!.answer()
    await settled()
    asked[0]!.answer()
    await settled()
    expect(ids()).toEqual(['b0', 'b1'])
  })

  it('begins anew with another filter, but not with an equal one', async () => {
    const { paged, asked, last, query } = setup(5)
    last().answer()
    await settled()
    void paged.next()
    last().answer()
    await settled()
    query.value = { query: '' }
    await nextTick()
    expect(asked.length).toBe(2)
    query.value = { query: 'c' }
    await nextTick()
    expect(last().page.cursor).toBeUndefined()
    expect(paged.page.value).toBe(1)
  })

  it('keeps the rows when it fails, and comes back', async () => {
    const { paged, last, ids } = setup(5)
    last().answer()
    await settled()
    void paged.reload()
    last().fail()
    await settled()
    expect([paged.state.value, ids()]).toEqual(['failed', ['0', '1']])
    expect(paged.error.value).toBeInstanceOf(Error)
    void paged.reload()
    last().answer()
    await settled()
    expect([paged.state.value, paged.error.value]).toEqual(['ready', undefined])
  })

  it('refreshes quietly, and not into another page', async () => {
    vi.useFakeTimers()
    const { paged, asked, last, ids } = setup(5, { refreshMs: 5000 })
    last().answer()
    await settled()
    vi.advanceTimersByTime(5000)
    expect([asked.length, paged.state.value]).toEqual([2, 'ready'])
    void paged.next()
    asked[1]!.answer()
    last().answer()
    await settled()
    expect(ids()).toEqual(['2', '3'])
    vi.advanceTimersByTime(5000)
    last().fail()
    await settled()
    expect([paged.state.value, ids()]).toEqual(['ready', ['2', '3']])
  })

  it('stops with its scope', async () => {
    vi.useFakeTimers()
    const { scope, last, ids } = setup(5, { refreshMs: 5000 })
    scope.stop()
    last().answer()
    await settled()
    expect(vi.getTimerCount()).toBe(0)
    expect(ids()).toEqual([])
  })

  it('replaces a row', async () => {
    const { paged, last, ids } = setup(2)
    last().answer()
    await settled()
    paged.replace((row) => (row.id === '1' ? { id: 'one' } : row))
    expect(ids()).toEqual(['0', 'one'])
  })
})
