import { describe, expect, it } from 'vitest'
import { everywhereByRole, statusOf } from './people'

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
