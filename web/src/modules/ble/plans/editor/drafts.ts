import type { Op } from './changes'
import type { Doc } from './model'

/** A request that is on its way, and may have arrived although no answer came. */
export interface Pending {
  op: Op
  /** The same whenever it is sent again: the server does it once. */
  key: string
}

/** Edits that the server has not taken yet, as they outlive the page. */
export interface Draft {
  plan: string
  /** What the server had, and its tag. */
  base: Doc
  etag: string
  current: Doc
  /** Ids of the server by those of the document, where they differ. */
  ids: Record<string, string>
  pending?: Pending
  /** Milliseconds since 1970. */
  at: number
}

export interface Drafts {
  get: (plan: string) => Promise<Draft | undefined>
  put: (draft: Draft) => Promise<void>
  remove: (plan: string) => Promise<void>
}

const store = 'drafts'

/**
 * Drafts of one person in this browser. Where it keeps nothing, because storage is
 * forbidden or full, edits live as long as the page does: every call then fails.
 */
export function browserDrafts(person: string): Drafts {
  const opened = openDatabase()
  const keyOf = (plan: string) => `${person} ${plan}`
  const run = async <T>(mode: IDBTransactionMode, ask: (drafts: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const transaction = (await opened).transaction(store, mode)
    return answer(ask(transaction.objectStore(store)))
  }
  // The rejection belongs to the calls, each of which sees it.
  opened.catch(() => undefined)
  return {
    get: (plan) => run<Draft | undefined>('readonly', (drafts) => drafts.get(keyOf(plan))),
    put: async (draft) => void (await run('readwrite', (drafts) => drafts.put(draft, keyOf(draft.plan)))),
    remove: async (plan) => void (await run('readwrite', (drafts) => drafts.delete(keyOf(plan)))),
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('mybeacon.plans', 1)
    request.onupgradeneeded = () => request.result.createObjectStore(store)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('drafts cannot be kept'))
    request.onblocked = () => reject(new Error('drafts are held by another tab'))
  })
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('the draft cannot be kept'))
  })
}
