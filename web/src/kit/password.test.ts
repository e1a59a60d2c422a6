import { describe, expect, it } from 'vitest'
import { strengthOf } from './password'

describe('strengthOf', () => {
  it.each([
    ['', 0],
    ['Ab3$xyz', 0],
    ['password2026', 1],
    ['aaaaaaaaaaaaaaaa', 1],
    ['abcdefghijklmnop', 1],
    ['1029384756', 1],
    ['anna.petrova!', 1],
    ['river-lamp-9', 3],
    ['correct horse battery staple', 4],
    ['лодка у старого причала', 4],
  ])('%s: %i', (password, want) => {
    expect(strengthOf(password, 'anna.petrova@example.com')).toBe(want)
  })
})
