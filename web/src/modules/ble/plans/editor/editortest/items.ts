import { at, type Doc, type Door, type Item, type Label, type NoGo, type Picture, type ReceiverItem, type Room, type Wall, type ZoneItem } from '../model'

// Short forms for tests: a plan of 20 by 15 metres with what is given.

type Pair = [number, number]
const points = (pairs: Pair[]) => pairs.map(([x, y]) => at(x, y))

export const doc = (...items: Item[]): Doc => ({ bounds: { min: { x: 0, y: 0 }, max: { x: 20, y: 15 } }, items })
export const wall = (id: string, ...pairs: Pair[]): Wall => ({ id, kind: 'wall', points: points(pairs) })
export const door = (id: string, ...pairs: Pair[]): Door => ({ id, kind: 'door', points: points(pairs) })
export const noGo = (id: string, ...pairs: Pair[]): NoGo => ({ id, kind: 'no_go', points: points(pairs) })
export const room = (id: string, ...pairs: Pair[]): Room => ({ id, kind: 'room', points: points(pairs), color: '#f5efe0', label: '' })
export const label = (id: string, x: number, y: number): Label => ({ id, kind: 'label', points: [at(x, y)], text: 'Desk', sizeM: 0.5 })

export const zone = (id: string, ...pairs: Pair[]): ZoneItem => ({
  id, kind: 'zone', points: points(pairs), number: 1, name: `Zone ${id}`, color: '#1cb5d5', capacity: null, parent: '',
})

export const receiver = (id: string, x: number, y: number): ReceiverItem => ({
  id, kind: 'receiver', points: [at(x, y)], device: `device of ${id}`, number: 1, name: '', zM: 2.5, rotation: 0, gainDb: 0,
})

export const picture = (): Picture => ({
  id: 'picture', kind: 'picture', points: [at(0, 0)], url: '/image', widthPx: 1000, heightPx: 750, metresPerPx: 0.02, rotation: 0, opacity: 0.6,
})
