import type { Op } from './changes'
import type { Doc } from './model'

/** A request that is on its way, and may have arrived although no answer came. */
export interface Pending {
  op: Op
  /** The same whenever it is sent again: the server does it once. */
  key: string
}

/** A page has one draft: two of the same plan must not write over each other. */
export interface DraftKey {
  plan: string
  /** Of the page that keeps it. */
  page: string
}

/** Edits that the server has not taken yet, as they outlive the page. */
export interface Draft extends DraftKey {
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
  /** Those of every page, newest first. */
  list: (plan: string) => Promise<Draft[]>
  put: (draft: Draft) => Promise<void>
  remove: (draft: DraftKey) => Promise<void>
  /** Whoever holds the storage open keeps other versions of the console from changing it. */
  close: () => void
}

const store = 'drafts'

/**
 * Drafts of one person in this browser. Where it keeps nothing, because storage is
 * forbidden or full, edits live as long as the page does: every call then fails.
 */
export function browserDrafts(person: string): Drafts {
  const opened = openDatabase()
  const prefixOf = (plan: string) => `${person} ${plan} `
  const keyOf = ({ plan, page }: DraftKey) => prefixOf(plan) + page
  const run = async <T>(mode: IDBTransactionMode, ask: (drafts: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const transaction = (await opened).transaction(store, mode)
    return answer(ask(transaction.objectStore(store)))
  }
  // The rejection belongs to the calls, each of which sees it.
  opened.catch(() => undefined)
  return {
    list: async (plan) => {
      const range = IDBKeyRange.bound(prefixOf(plan), `${prefixOf(plan)}\uffff`)
      const found = await run<Draft[]>('readonly', (drafts) => drafts.getAll(range))
      return found.sort((a, b) => b.at - a.at)
    },
    put: async (draft) => void (await run('readwrite', (drafts) => drafts.put(draft, keyOf(draft)))),
    remove: async (draft) => void (await run('readwrite', (drafts) => drafts.delete(keyOf(draft)))),
    close: () => void opened.then((database) => database.close(), () => undefined),
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
