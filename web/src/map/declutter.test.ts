import { describe, expect, it } from 'vitest'
import { type Box, declutter, type LabelWish } from './declutter'

const box = (left: number, top: number, width = 100, height = 20): Box => ({ left, top, width, height })

/** A marker at x, y with a label right or left of it. */
function wish(id: string, x: number, y: number, priority = 0): LabelWish {
  return { id, places: [box(x + 15, y - 10), box(x - 115, y - 10)], marker: box(x - 10, y - 10, 20, 20), priority }
}

const crosses = (a: Box, b: Box) => a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height

describe('declutter', () => {
  it('shows a lonely label on the right', () => {
    expect([...declutter([wish('a', 200, 50)])]).toEqual([['a', 0]])
  })

  it('gives way to the left, then not at all', () => {
    const shown = declutter([wish('a', 200, 50), wish('b', 260, 50), wish('c', 140, 50)])
    expect(shown.get('b')).toBe(0)
    expect(shown.get('c')).toBe(1)
    expect(shown.has('a')).toBe(false)
  })

  it('prefers what matters more', () => {
    const crowd = [wish('a', 200, 50), wish('b', 202, 52, 3)]
    expect(declutter(crowd).get('b')).toBe(0)
  })

  it('does not depend on the order it is asked in', () => {
    const wishes = Array.from({ length: 60 }, (_, i) => wish(`t${i}`, (i * 97) % 700, (i * 53) % 400))
    expect(declutter([...wishes].reverse())).toEqual(declutter(wishes))
  })

  it('keeps within the view', () => {
    const view = box(0, 0, 300, 100)
    expect(declutter([wish('a', 250, 50)], view).get('a')).toBe(1)
    expect(declutter([wish('a', 250, 95)], view).has('a')).toBe(false)
  })

  it('covers neither a label nor a foreign marker, however dense the crowd', () => {
    const wishes = Array.from({ length: 400 }, (_, i) => wish(`t${i}`, (i * 7919) % 1600, (i * 104_729) % 900, i % 3))
    const shown = declutter(wishes)
    const boxes = [...shown].map(([id, place]) => ({ id, at: wishes.find((w) => w.id === id)!.places[place]! }))
    expect(boxes.length).toBeGreaterThan(5)
    for (const { id, at } of boxes) {
      for (const other of boxes) expect(other.id !== id && crosses(at, other.at)).toBe(false)
      for (const other of wishes) expect(other.id !== id && crosses(at, other.marker)).toBe(false)
    }
  })
})
