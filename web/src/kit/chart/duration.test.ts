import { describe, expect, it } from 'vitest'
import { axisText, axisUnit, durationText } from './duration'

describe('durationText', () => {
  it.each([
    [0, '0 sec'], [0.4, '0 sec'], [59.6, '1 min'], [61, '1 min 1 sec'], [3600, '1 hr'], [3659, '1 hr'], [7500, '2 hr 5 min'],
    [86_400, '1 day'], [90_061, '1 day 1 hr'], [-90, '−1 min 30 sec'], [Number.NaN, '—'], [Number.POSITIVE_INFINITY, '—'],
  ])('of %d s is %s', (seconds, text) => expect(durationText(seconds, 'en')).toBe(text))

  it('is Russian in Russian', () => {
    expect(durationText(7500, 'ru').replaceAll('\u00a0', ' ')).toBe('2 ч 5 мин')
  })
})

describe('an axis', () => {
  it.each([[0, 'second'], [119, 'second'], [120, 'minute'], [7199, 'minute'], [7200, 'hour'], [1e9, 'hour']])('up to %d s has %ss', (most, unit) => {
    expect(axisUnit(most).unit).toBe(unit)
  })
  it('writes its figures', () => expect(axisText(2.5, 'hour', 'en')).toBe('2.5 hr'))
})
