import { describe, expect, it } from 'vitest'
import { aimOf, beginDrag, crossingsOf, dragged } from './drag'
import { doc, door, label, receiver, room, wall, zone } from './editortest/items'
import { hit, hitHandle } from './hit'
import { itemOf, type Kind } from './model'

const p = (x: number, y: number) => ({ x, y })
const kinds: Kind[] = ['room', 'no_go', 'zone', 'wall', 'door', 'label', 'receiver']
const aim = (x: number, y: number) => ({ p: p(x, y), reachM: 0.2, kinds })
const plan = doc(
  room('big', [0, 0], [10, 0], [10, 10], [0, 10]), room('small', [2, 2], [4, 2], [4, 4], [2, 4]), zone('z', [6, 6], [9, 6], [9, 9]),
  wall('w', [0, 5], [10, 5]), door('d', [3, 5], [4, 5]), receiver('e', 8, 5), label('l', 1, 8),
)

describe('hit', () => {
  it.each([
    [3, 3, 'small'], [1, 1, 'big'], [7, 5.1, 'w'], [3.5, 5.1, 'd'], [8.1, 5.1, 'e'], [8.5, 6.5, 'z'], [1.3, 8.1, 'l'], [15, 12, undefined],
  ])('at %d, %d: %s', (x, y, want) => {
    expect(hit(plan, aim(x, y))?.id).toBe(want)
  })

  it('passes through what is hidden', () => {
    expect(hit(plan, { ...aim(8.1, 5.1), kinds: ['room'] })?.id).toBe('big')
  })
})

describe('handles', () => {
  it('are corners before edges, and only of the chosen', () => {
    const zoneItem = itemOf(plan, 'z')
    expect(hitHandle(zoneItem, aim(9.1, 6))).toEqual({ id: 'z', part: 'corner', index: 1 })
    expect(hitHandle(zoneItem, aim(9, 7.5))).toEqual({ id: 'z', part: 'edge', index: 1 })
    expect(hitHandle(undefined, aim(9, 6))).toBeUndefined()
  })
})

describe('drag', () => {
  it('moves a corner', () => {
    const drag = beginDrag(plan, { id: 'z', part: 'corner', index: 1 }, new Set(['z']), p(9, 6))!
    expect(itemOf(dragged(drag, aimOf(drag, p(9.5, 5))), 'z')?.points[1]).toEqual(p(9.5, 5))
  })

  it('pulls a new corner out of an edge', () => {
    const drag = beginDrag(plan, { id: 'z', part: 'edge', index: 2 }, new Set(['z']), p(7.5, 7.5))!
    expect(itemOf(dragged(drag, p(6, 9)), 'z')?.points).toEqual([p(6, 6), p(9, 6), p(9, 9), p(6, 9)])
  })

  it('moves all that is chosen by the same way', () => {
    const drag = beginDrag(plan, { id: 'e', part: 'body', index: 0 }, new Set(['e', 'l']), p(8.1, 5.1))!
    const moved = dragged(drag, aimOf(drag, p(9.1, 6.1)))
    expect([itemOf(moved, 'e')?.points, itemOf(moved, 'l')?.points]).toEqual([[p(9, 6)], [p(2, 9)]])
  })

  it('moves only what was taken when that was not chosen', () => {
    const drag = beginDrag(plan, { id: 'e', part: 'body', index: 0 }, new Set(['l']), p(8, 5))!
    expect(itemOf(dragged(drag, p(9, 5)), 'l')?.points).toEqual([p(1, 8)])
  })

  it('tells of borders that would cross themselves', () => {
    const drag = beginDrag(plan, { id: 'small', part: 'corner', index: 0 }, new Set(['small']), p(2, 2))!
    expect(crossingsOf(dragged(drag, p(5, 3)), new Set(['small'])).length).toBeGreaterThan(0)
    expect(crossingsOf(dragged(drag, p(1, 1)), new Set(['small']))).toEqual([])
  })
})
