import { describe, expect, it } from 'vitest'
import { changesBetween, valueText } from './diff'
import { problemKind } from './problem'
import { sparkPath } from './spark'

describe('changesBetween', () => {
  it('names what differs by its path', () => {
    const old = { report_every_s: 10, modules: { ble: { enabled: true }, wifi: { enabled: true } }, list: [1, 2] }
    const now = { modules: { ble: { enabled: false }, wifi: { enabled: true } }, list: [1, 3], extra: 'x' }
    expect(changesBetween(old, now)).toEqual([
      { name: 'extra', old: undefined, new: 'x' },
      { name: 'list', old: [1, 2], new: [1, 3] },
      { name: 'modules.ble.enabled', old: true, new: false },
      { name: 'report_every_s', old: 10, new: undefined },
    ])
    expect(changesBetween(now, structuredClone(now))).toEqual([])
  })
})

describe('valueText', () => {
  it.each([[undefined, ''], [null, ''], ['a b', 'a b'], [0, '0'], [false, 'false'], [['x'], '["x"]']])('%o: %s', (value, want) => {
    expect(valueText(value)).toBe(want)
  })
})

describe('sparkPath', () => {
  it('spans the box, highest on top', () => {
    expect(sparkPath([0, 10, 5], 100, 20)).toBe('M0 18L50 2L100 10')
  })

  it.each([[[]], [[1]], [[1, Number.NaN]]])('draws nothing for %o', (values) => {
    expect(sparkPath(values, 100, 20)).toBe('')
  })

  it('lays a flat line in the middle', () => {
    expect(sparkPath([3, 3], 10, 20)).toBe('M0 10L10 10')
  })
})

describe('problemKind', () => {
  it.each([[{ failure: 'away' }, 'away'], [{ failure: 'invalid' }, 'failed'], [new Error('x'), 'failed'], [undefined, 'failed']])('%o: %s', (error, want) => {
    expect(problemKind(error)).toBe(want)
  })
})
