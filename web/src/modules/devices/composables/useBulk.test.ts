import { describe, expect, it } from 'vitest'
import { useSelection } from '@/kit/data/useSelection'
import type { BulkResult } from '../types'
import { portion, useBulk } from './useBulk'

const answer = (bad: readonly string[]) => (ids: string[]): Promise<BulkResult[]> =>
  Promise.resolve(ids.map((id) => (bad.includes(id) ? { id, ok: false, problem: `not ${id}` } : { id, ok: true })))

describe('useBulk', () => {
  it('keeps those that failed selected, with their reasons', async () => {
    const selection = useSelection()
    selection.togglePage(['a', 'b', 'c'])
    const bulk = useBulk(selection)
    expect(bulk.summary.value).toBeUndefined()
    await bulk.run(answer(['b']))
    expect([...selection.ids.value]).toEqual(['b'])
    expect([...bulk.problems.value]).toEqual([['b', 'not b']])
    expect(bulk.summary.value).toEqual({ done: 2, failed: 1 })
    await bulk.run(answer([]))
    expect([selection.count.value, bulk.summary.value]).toEqual([0, { done: 1, failed: 0 }])
  })

  it('sends portions, and tells of those done before one could not be sent', async () => {
    const selection = useSelection()
    selection.togglePage(Array.from({ length: portion + 5 }, (_, i) => `d${i}`))
    const bulk = useBulk(selection)
    const sizes: number[] = []
    await expect(bulk.run((ids) => {
      sizes.push(ids.length)
      return sizes.length === 1 ? answer([])(ids) : Promise.reject(new Error('away'))
    })).rejects.toThrow('away')
    expect(sizes).toEqual([portion, 5])
    expect([bulk.busy.value, selection.count.value, bulk.summary.value]).toEqual([false, 5, { done: portion, failed: 0 }])
  })
})
