import { describe, expect, it } from 'vitest'
import { apply, diff, itemText, merge, type Op, same } from './changes'
import { doc, door, label, noGo, picture, receiver, room, wall, zone } from './editortest/items'
import { randomDoc, randomEdit, randomOf } from './editortest/random'
import { type Doc, type Item, itemOf, remove, replace } from './model'

const kindsOf = (ops: Op[]) => ops.map((op) => ('part' in op ? `${op.kind} ${op.part.id}` : op.kind))
const plan = doc(picture(), wall('w', [0, 0], [9, 0]), room('r', [1, 1], [4, 1], [4, 4]), zone('z', [5, 5], [9, 5], [9, 9]), receiver('e', 3, 3))

describe('diff', () => {
  it('is nothing between what looks alike, whatever its ids', () => {
    const alike = { ...plan, items: plan.items.map((item) => (item.kind === 'wall' ? { ...item, id: 'other' } : { ...item })) }
    expect(diff(plan, alike)).toEqual([])
    expect(same(plan, alike)).toBe(true)
  })

  it('sends the whole drawing for a wall, and nothing else', () => {
    const changed = replace(plan, wall('w', [0, 0], [9, 1]))
    const [op, ...rest] = diff(plan, changed)
    expect(rest).toEqual([])
    expect(op).toMatchObject({ kind: 'drawing' })
    expect(op?.kind === 'drawing' && op.items.map(({ id }) => id)).toEqual(['w', 'r'])
  })

  it('does not care in which order kinds are kept, but in which order things lie', () => {
    const [a, b] = [room('a', [0, 0], [2, 0], [2, 2]), room('b', [1, 1], [3, 1], [3, 3])]
    expect(same(doc(a, wall('w', [0, 0], [1, 0]), b), doc(wall('w', [0, 0], [1, 0]), a, b))).toBe(true)
    expect(same(doc(a, b), doc(b, a))).toBe(false)
  })

  it('sends each zone and receiver by itself', () => {
    const changed = replace(replace(plan, { ...zone('z', [5, 5], [9, 5], [9, 8]), name: 'Canteen' }), receiver('e', 3.5, 3))
    expect(kindsOf(diff(plan, changed))).toEqual(['change z', 'change e'])
  })

  it('leaves numbers, names of devices and upper case letters to the server', () => {
    const changed = replace(replace(plan, { ...zone('z', [5, 5], [9, 5], [9, 9]), number: 7, color: '#1CB5D5' }), { ...receiver('e', 3, 3), name: 'North door' })
    expect(diff(plan, changed)).toEqual([])
  })

  it('takes off before it hangs up, and puts parents before their parts', () => {
    const child = { ...zone('child', [6, 6], [7, 6], [7, 7]), parent: 'parent' } as Item
    const next = doc(picture(), child, zone('parent', [5, 5], [9, 5], [9, 9]), receiver('f', 1, 1))
    expect(kindsOf(diff(doc(picture(), receiver('e', 3, 3)), next))).toEqual(['remove e', 'add parent', 'add child', 'add f'])
  })

  it('makes room before it is used, and gives it back afterwards', () => {
    const big: Doc = { ...plan, bounds: { min: { x: 0, y: 0 }, max: { x: 40, y: 30 } } }
    const far = replace(big, zone('z', [30, 20], [39, 20], [39, 29]))
    expect(kindsOf(diff(plan, far))).toEqual(['bounds', 'change z'])
    expect(kindsOf(diff(far, plan))).toEqual(['change z', 'bounds'])
  })

  it('survives zones that are parts of one another', () => {
    const knot = doc({ ...zone('a', [0, 0], [1, 0], [1, 1]), parent: 'b' } as Item, { ...zone('b', [0, 0], [1, 0], [1, 1]), parent: 'a' } as Item)
    expect(kindsOf(diff(doc(), knot)).sort()).toEqual(['add a', 'add b'])
  })

  it('moves the picture, but neither brings nor takes it', () => {
    expect(kindsOf(diff(plan, replace(plan, { ...picture(), rotation: 90 })))).toEqual(['picture'])
    expect(diff(doc(), doc(picture()))).toEqual([])
  })
})

describe('diff and apply', () => {
  it('lead from any document to any other', () => {
    const random = randomOf(7)
    for (let round = 0; round < 200; round++) {
      const from = randomDoc(random)
      let to = from
      for (let i = 0; i < 6; i++) to = randomEdit(to, random)
      const done = diff(from, to).reduce(apply, from)
      expect(diff(done, to), JSON.stringify({ from, to })).toEqual([])
    }
  })
})

describe('itemText', () => {
  it('tells every drawn thing from the others', () => {
    const items = [wall('a', [0, 0], [1, 0]), door('a', [0, 0], [1, 0]), noGo('a', [0, 0], [1, 0], [1, 1]), room('a', [0, 0], [1, 0], [1, 1]), label('a', 0, 0)]
    expect(new Set(items.map(itemText)).size).toBe(items.length)
  })
})

describe('merge', () => {
  it('keeps what each of us did', () => {
    const theirs = doc(picture(), wall('x', [0, 0], [9, 0]), wall('new', [0, 9], [9, 9]), room('y', [1, 1], [4, 1], [4, 4]), { ...zone('z', [5, 5], [9, 5], [9, 9]), name: 'Theirs' } as Item)
    const mine = replace(plan, receiver('e', 8, 8))
    const both = merge(plan, theirs, mine)
    expect(both.items.map(({ kind }) => kind).sort()).toEqual(['picture', 'receiver', 'room', 'wall', 'wall', 'zone'])
    expect(itemOf(both, 'z')).toMatchObject({ name: 'Theirs' })
    expect(itemOf(both, 'e')?.points).toEqual([{ x: 8, y: 8 }])
  })

  it('gives mine where both changed the same', () => {
    const theirs = replace(plan, { ...zone('z', [5, 5], [9, 5], [9, 9]), name: 'Theirs' })
    const mine = replace(plan, { ...zone('z', [5, 5], [9, 5], [9, 9]), name: 'Mine' })
    expect(itemOf(merge(plan, theirs, mine), 'z')).toMatchObject({ name: 'Mine' })
  })

  it('takes away what I took away, except what was changed', () => {
    const mine = remove(plan, new Set(['w', 'z', 'e']))
    const theirs = replace(plan, { ...zone('z', [5, 5], [9, 5], [9, 9]), name: 'Theirs' })
    expect(merge(plan, theirs, mine).items.map(({ id }) => id).sort()).toEqual(['picture', 'r', 'z'])
  })

  it('does not bring back what they took away, unless I changed it', () => {
    const theirs = remove(plan, new Set(['z', 'e']))
    const mine = replace(plan, receiver('e', 8, 8))
    expect(merge(plan, theirs, mine).items.map(({ id }) => id).sort()).toEqual(['e', 'picture', 'r', 'w'])
  })

  it('frees parts whose whole is gone', () => {
    const parts = doc(zone('a', [0, 0], [9, 0], [9, 9]), zone('b', [1, 0], [2, 0], [2, 1]))
    const mine = replace(parts, { ...zone('b', [1, 0], [2, 0], [2, 1]), parent: 'a' })
    expect(itemOf(merge(parts, remove(parts, new Set(['a'])), mine), 'b')).toMatchObject({ parent: '' })
  })

  it('is mine when they did nothing, and theirs when I did nothing', () => {
    const random = randomOf(11)
    for (let round = 0; round < 100; round++) {
      const base = randomDoc(random)
      const changed = randomEdit(randomEdit(base, random), random)
      expect(diff(sortedDrawing(merge(base, base, changed)), sortedDrawing(changed))).toEqual([])
      expect(diff(merge(base, changed, base), changed)).toEqual([])
    }
  })
})

/** What I changed of the drawing goes above the rest: its order is not that of mine. */
function sortedDrawing(of: Doc): Doc {
  return { ...of, items: [...of.items].sort((a, b) => (itemText(a) < itemText(b) ? -1 : 1)) }
}
