import { describe, expect, it } from 'vitest'
import { differing, everywhereByRole, statusOf } from './people'

const nobody = { disabled: false, invited: false, read_only: false }

describe('statusOf', () => {
  it.each([
    [{ ...nobody }, 'active'],
    [{ ...nobody, read_only: true }, 'readOnly'],
    [{ ...nobody, read_only: true, invited: true }, 'invited'],
    [{ disabled: true, invited: true, read_only: true }, 'disabled'],
  ])('%o: %s', (person, want) => {
    expect(statusOf(person).key).toBe(want)
  })
})

describe('everywhereByRole', () => {
  it('is what the table of the product says', () => {
    expect(['owner', 'admin', 'manager', 'operator', 'viewer', ''].filter(everywhereByRole)).toEqual(['owner', 'admin', 'manager'])
  })
})

describe('differing', () => {
  it('is what was changed, however deep, and nothing else', () => {
    const before = { name: 'Olga', role: 'viewer', locations: [{ id: 'a', write: false }] as { id: string; write: boolean }[] | null }
    expect(differing(before, { ...before })).toEqual({})
    expect(differing(before, { ...before, name: 'Olga K.' })).toEqual({ name: 'Olga K.' })
    expect(differing(before, { ...before, locations: [{ id: 'a', write: true }] })).toEqual({ locations: [{ id: 'a', write: true }] })
    expect(differing(before, { ...before, locations: null })).toEqual({ locations: null })
  })
})
