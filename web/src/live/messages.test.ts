import { describe, expect, it } from 'vitest'
import { decodeMessage } from './messages'

const tag = {
  id: 't1', name: 'Maria', tag_type: 'person', plan: 'p1', x_m: 1.5, y_m: 2, accuracy_m: 1.1,
  zone: 'z1', rssi_dbm: -65, receiver: 'r1', at: '2026-01-02T03:04:05.000Z', state: 'present',
}
const message = { type: 'snapshot', epoch: 'e1', seq: 7, at: '2026-01-02T03:04:06Z', tags: [tag], zones: [{ id: 'z1', name: 'Canteen', plan: 'p1', occupancy: 1 }] }

describe('decodeMessage', () => {
  it('reads a snapshot', () => {
    expect(decodeMessage(JSON.stringify(message))).toEqual({
      type: 'snapshot',
      epoch: 'e1',
      seq: 7,
      at: Date.UTC(2026, 0, 2, 3, 4, 6),
      tags: [{
        id: 't1', name: 'Maria', type: 'person', plan: 'p1', x: 1.5, y: 2, accuracyM: 1.1,
        zone: 'z1', rssiDbm: -65, receiver: 'r1', at: Date.UTC(2026, 0, 2, 3, 4, 5), state: 'present',
      }],
      zones: [{ id: 'z1', name: 'Canteen', plan: 'p1', occupancy: 1, gone: false }],
    })
  })

  it.each(['', 'null', '[]', '7', '{', '{"type":"other"}', '{"tags":[]}'])('refuses %s', (text) => {
    expect(decodeMessage(text)).toBeUndefined()
  })

  it('leaves out entries that cannot be drawn and keeps the others', () => {
    const tags = [null, 5, { ...tag, id: '' }, { ...tag, id: 'a', x_m: null }, { ...tag, id: 'b', y_m: 'x' }, { ...tag, id: 'good' }]
    const got = decodeMessage(JSON.stringify({ ...message, tags, zones: 'no' }))
    expect(got?.tags.map(({ id }) => id)).toEqual(['good'])
    expect(got?.zones).toEqual([])
  })

  it.each([['absent', 'absent'], ['gone', 'gone'], ['present', 'present'], [undefined, 'present']])('state %s is %s', (state, want) => {
    expect(decodeMessage(JSON.stringify({ ...message, tags: [{ ...tag, state }] }))?.tags[0]?.state).toBe(want)
  })

  it('reads a gap without lists', () => {
    expect(decodeMessage('{"type":"gap","epoch":"e2","seq":1}')).toMatchObject({ type: 'gap', tags: [], zones: [], at: Number.NaN })
  })
})
