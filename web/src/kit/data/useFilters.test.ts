import { describe, expect, it } from 'vitest'
import { flushPromises, mountSetup } from './datatest/mountSetup'
import { day, oneOf, text, useFilters } from './useFilters'

const kinds = { query: text, status: oneOf('online', 'offline'), from: day }
const setup = (path: string) => mountSetup(path, () => useFilters(kinds))

describe('useFilters', () => {
  it('reads the address and ignores what it does not accept', async () => {
    const { result } = await setup('/list?query=%20hall%20&status=sleepy&from=2024-02-30&query2=x')
    expect(result.values.value).toEqual({ query: 'hall', status: '', from: '' })
    expect(result.active.value).toEqual(['query'])
  })

  it('writes the address and leaves the rest of it alone', async () => {
    const { result, router } = await setup('/list?tab=2&status=online')
    result.set({ query: 'a' })
    result.set({ status: '' })
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ tab: '2', query: 'a' })
    result.clear()
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ tab: '2' })
    expect(result.isFiltered.value).toBe(false)
  })

  it('follows the address, but not into another room', async () => {
    const { result, router } = await setup('/list?status=online')
    await router.push('/list?status=offline')
    expect(result.values.value.status).toBe('offline')
    await router.push('/elsewhere')
    expect(result.values.value.status).toBe('offline')
  })
})

describe('day', () => {
  it.each([['2024-02-29', '2024-02-29'], ['2023-02-29', ''], ['2024-1-1', ''], ['', ''], ['2024-01-01T00:00', '']])('%o: %o', (value, want) => {
    expect(day(value)).toBe(want)
  })
})
