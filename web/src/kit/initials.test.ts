import { describe, expect, it } from 'vitest'
import { initials } from './initials'

describe('initials', () => {
  it.each([
    ['Maria', 'M'],
    ['Maria Ivanova', 'MI'],
    ['мария ивановна петрова', 'МП'],
    ['Forklift №16', 'F16'],
    ['pallet_jack-3', 'P3'],
    ['Crate 12345', 'C45'],
    ['Élodie', 'É'],
    ['  ', '?'],
    ['—', '?'],
    ['🚚', '?'],
  ])('%s: %s', (name, want) => {
    expect(initials(name)).toBe(want)
  })
})
