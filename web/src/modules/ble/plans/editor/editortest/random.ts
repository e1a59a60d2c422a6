import { add, at, type Doc, type Item, moveBy, remove, replace } from '../model'
import { doc, label, picture, receiver, room, wall, zone } from './items'

export type Random = () => number

/** Numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

let serial = 0

function randomItem(random: Random): Item {
  const pair = (): [number, number] => [Math.floor(random() * 20), Math.floor(random() * 15)]
  const id = `i${serial++}`
  const makers = [
    () => wall(id, pair(), pair()), () => room(id, pair(), pair(), pair()), () => zone(id, pair(), pair(), pair()),
    () => receiver(id, ...pair()), () => label(id, ...pair()),
  ]
  return (makers[Math.floor(random() * makers.length)] as () => Item)()
}

export function randomDoc(random: Random): Doc {
  return doc(picture(), ...Array.from({ length: Math.floor(random() * 12) }, () => randomItem(random)))
}

/** One thing that a person might do. */
export function randomEdit(plan: Doc, random: Random): Doc {
  const item = plan.items[Math.floor(random() * plan.items.length)]
  const act = Math.floor(random() * 6)
  if (act < 2 || !item) return add(plan, randomItem(random))
  if (act === 2) return remove(plan, new Set([item.id]))
  if (act === 3) return { ...plan, bounds: { ...plan.bounds, max: at(20 + Math.floor(random() * 9), 15) } }
  if (act === 4) return moveBy(plan, new Set([item.id]), 1, 1)
  return item.kind === 'zone' ? replace(plan, { ...item, name: `N${serial++}`, parent: '' }) : moveBy(plan, new Set([item.id]), -1, 0)
}
