import type { Doc, Item } from '../model'
import { Saver, type SaveState } from '../saver'
import { doc, receiver, wall, zone } from './items'
import { MemoryDrafts, PlanServer } from './server'

export const start = doc(wall('w', [0, 0], [9, 0]), zone('z', [5, 5], [9, 5], [9, 9]), receiver('e', 3, 3))
export const extra = wall('v', [0, 1], [9, 1])

/** A page that saves, and what it said. */
export function desk(server = new PlanServer(start), drafts = new MemoryDrafts(), page = 'here') {
  const states: SaveState['kind'][] = []
  const heard: Doc[] = []
  let keys = 0
  const saver = new Saver({
    plan: 'p', page, backend: server, drafts, start: { doc: server.doc, etag: server.etag },
    onState: ({ kind }) => states.push(kind), onServer: (now) => heard.push(now), newKey: () => `set${++keys}`,
  })
  return { server, drafts, saver, states, heard }
}

/** What is on a plan, whichever ids and order it has. */
export function counts(of: Doc) {
  const points = (item: Item) => JSON.stringify([item.kind, item.points])
  return of.items.map(points).sort()
}
