import { afterEach, expect, it, vi } from 'vitest'
import { browserDrafts, type Draft } from './drafts'
import { doc } from './editortest/items'

afterEach(() => void vi.unstubAllGlobals())

/** As much of a browser's storage as drafts need. */
function stubStorage() {
  const rows = new Map<string, unknown>()
  let isHeld = false
  const answer = (result: unknown) => {
    const request = { result, onsuccess: () => undefined }
    queueMicrotask(() => request.onsuccess())
    return request
  }
  const store = {
    put: (row: unknown, key: string) => answer(void rows.set(key, structuredClone(row))),
    delete: (key: string) => answer(void rows.delete(key)),
    getAll: ([from, to]: [string, string]) => answer([...rows].filter(([key]) => key >= from && key <= to).map(([, row]) => row)),
  }
  const database = { transaction: () => ({ objectStore: () => store }), close: () => (isHeld = false) }
  const open = () => {
    isHeld = true
    return answer(database)
  }
  vi.stubGlobal('indexedDB', { open })
  vi.stubGlobal('IDBKeyRange', { bound: (from: string, to: string) => [from, to] })
  return { isHeld: () => isHeld }
}

const draft = (plan: string, page: string, at: number): Draft => ({ plan, page, at, base: doc(), current: doc(), etag: '', ids: {} })

it('keeps one draft of each page of a person', async () => {
  stubStorage()
  const [mine, hers] = [browserDrafts('me'), browserDrafts('her')]
  for (const one of [draft('p', 'a', 1), draft('p', 'b', 3), draft('p', 'a', 2), draft('q', 'c', 9)]) await mine.put(one)
  await hers.put(draft('p', 'd', 9))
  const list = async () => (await mine.list('p')).map(({ page, at }) => [page, at])
  expect(await list()).toEqual([['b', 3], ['a', 2]])
  await mine.remove({ plan: 'p', page: 'b' })
  expect(await list()).toEqual([['a', 2]])
})

it('lets the storage go', async () => {
  const storage = stubStorage()
  const drafts = browserDrafts('me')
  await drafts.put(draft('p', 'a', 1))
  expect(storage.isHeld()).toBe(true)
  drafts.close()
  await Promise.resolve()
  expect(storage.isHeld()).toBe(false)
})
