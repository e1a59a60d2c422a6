import { describe, expect, it } from 'vitest'
import { rangeOf } from './range'

describe('rangeOf', () => {
  it('takes whole days of the browser', () => {
    const { from, to } = rangeOf('2024-01-31', '2024-02-29')
    expect(new Date(from!).toString()).toContain('Jan 31 2024 00:00:00')
    expect(new Date(to!).toString()).toContain('Mar 01 2024 00:00:00')
  })

  it('is open where nothing is set', () => {
    expect(rangeOf('', '')).toEqual({ from: undefined, to: undefined })
    expect(rangeOf('2024-01-31', '').to).toBeUndefined()
  })
})
