import type { Op, Part } from './changes'
import type { Doc, Item } from './model'

/** Ids of the server by ids of the document; what is not listed has the same. */
export type Ids = Readonly<Record<string, string>>

/** The request in the server's ids. */
export function toServer(op: Op, ids: Ids): Op {
  if (op.kind !== 'add' && op.kind !== 'change' && op.kind !== 'remove') return op
  return { ...op, part: renamed(op.part, (id) => ids[id] ?? id) }
}

/** The server's document in the ids of this page, so that undo still finds everything. */
export function fromServer(doc: Doc, ids: Ids): Doc {
  const local = new Map(Object.entries(ids).map(([own, server]) => [server, own]))
  if (local.size === 0) return doc
  return { ...doc, items: doc.items.map((item) => renamed(item, (id) => local.get(id) ?? id)) }
}

function renamed<T extends Item | Part>(item: T, name: (id: string) => string): T {
  const own = { ...item, id: name(item.id) }
  return own.kind === 'zone' && own.parent ? { ...own, parent: name(own.parent) } : own
}
