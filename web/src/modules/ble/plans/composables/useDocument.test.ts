import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type EffectScope, effectScope } from 'vue'
import type { Draft } from '../editor/drafts'
import { doc, receiver, wall, zone } from '../editor/editortest/items'
import { MemoryDrafts, PlanServer } from '../editor/editortest/server'
import { add, ofKind, scaled } from '../editor/model'
import { useDocument } from './useDocument'

const start = doc(wall('w', [0, 0], [9, 0]), receiver('e', 3, 3))
const more = add(start, zone('a', [0, 0], [1, 0], [1, 1]), zone('b', [0, 0], [1, 0], [1, 1]))

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

/** A page with the plan on it; `drafts` are those of the browser. */
async function open(server = new PlanServer(start), drafts = new MemoryDrafts()) {
  const page = scope.run(() => useDocument({ plan: 'p', backend: server, drafts }))!
  await page.load()
  return { page, server, drafts }
}

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a draft', () => {
  it('that has arrived under the ids of the server is no draft any more', async () => {
    const { page, server, drafts } = await open()
    page.edit(more)
    await page.save()
    const [a, b] = ['server 1', 'server 2']
    await drafts.put({ plan: 'p', page: 'before', base: more, etag: server.etag, current: more, ids: { a, b }, at: 0 })
    const { page: next } = await open(server, drafts)
    expect([next.found.value, drafts.kept.size]).toEqual([undefined, 0])
  })
})

describe('drafts of other pages', () => {
  const draftOf = (page: string, at: number): Draft => ({ plan: 'p', page, base: start, etag: '"1"', current: add(start, wall(page, [0, at], [4, at])), ids: {}, at })

  async function openWithTwo() {
    const drafts = new MemoryDrafts()
    await drafts.put(draftOf('older', 1))
    await drafts.put(draftOf('newer', 2))
    return open(new PlanServer(start), drafts)
  }

  it('stay when this one saves, and is left', async () => {
    const { page, drafts } = await openWithTwo()
    page.edit(more)
    await page.save()
    expect([page.state.value.kind, page.found.value, [...drafts.kept.keys()]]).toEqual(['saved', undefined, ['p older', 'p newer']])
  })

  it('are offered newest first, one after the other', async () => {
    const { page, drafts } = await openWithTwo()
    expect(page.found.value?.page).toBe('newer')
    page.discard()
    expect([page.found.value?.page, [...drafts.kept.keys()]]).toEqual(['older', ['p older']])
    page.takeUp()
    await wait(0)
    expect([page.state.value.kind, page.found.value, drafts.kept.size]).toEqual(['saved', undefined, 0])
    expect(ofKind(page.doc.value!, 'wall').map(({ id }) => id)).toEqual(['w', 'older'])
  })

  it('are let go of when the page is, once the last one is written', async () => {
    const { page, server, drafts } = await open()
    server.weather = ['away']
    page.edit(more)
    scope.stop()
    expect(drafts.isClosed).toBe(false)
    await wait(0)
    expect([drafts.isClosed, drafts.kept.size]).toEqual([true, 1])
  })
})

describe('a change of the whole plan', () => {
  it('keeps what is drawn meanwhile, and sends it afterwards', async () => {
    const { page, server } = await open()
    page.edit(add(start, wall('v', [0, 2], [4, 2])))
    let answer: () => void = () => undefined
    const turn = page.transform(async () => {
      await new Promise<void>((resolve) => (answer = resolve))
      server.foreign((old) => scaled(old, 2))
    }, (old) => scaled(old, 2))
    await wait(0)
    page.edit(add(page.doc.value!, wall('u', [0, 1], [4, 1])))
    await wait(5000)
    expect([page.state.value.kind, server.done.length]).toEqual(['saving', 1])
    answer()
    await turn
    await page.save()
    const walls = [[9, 0], [4, 2], [4, 1]].map(([x = 0, y = 0]) => ({ x: 2 * x, y: 2 * y }))
    expect(ofKind(server.doc, 'wall').map(({ points }) => points[1])).toEqual(walls)
    expect(ofKind(page.doc.value!, 'wall').map(({ points }) => points[1])).toEqual(walls)
    expect([page.state.value.kind, server.done.length]).toEqual(['saved', 2])
  })

  it('that fails leaves what was drawn to be saved', async () => {
    const { page, server } = await open()
    const turn = page.transform(async () => {
      page.edit(more)
      throw new Error('refused')
    }, (old) => old)
    await expect(turn).rejects.toThrow('refused')
    expect(page.state.value.kind).toBe('dirty')
    await page.leave()
    expect(server.done.length).toBe(2)
  })
})

describe('leaving', () => {
  it('waits until everything is saved', async () => {
    const { page, server } = await open()
    page.edit(more)
    await page.leave()
    expect([page.state.value.kind, server.done.length, vi.getTimerCount()]).toEqual(['saved', 2, 0])
  })

  it('waits no longer than two seconds, and goes on saving afterwards', async () => {
    const { page, server, drafts } = await open()
    let answer: () => void = () => undefined
    const send = server.send.bind(server)
    vi.spyOn(server, 'send').mockImplementationOnce(async (...request) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return send(...request)
    })
    page.edit(more)
    const left = vi.fn()
    void page.leave().then(left)
    await wait(1999)
    expect(left).not.toHaveBeenCalled()
    await wait(1)
    expect(left).toHaveBeenCalled()
    scope.stop()
    answer()
    await wait(0)
    expect([server.done.length, drafts.kept.size]).toEqual([2, 0])
  })
})
