import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type PageView, type Sent, ViewQueue } from './queue'

const view = (n: number): PageView => ({ page: `/page/${n}`, at: new Date(n * 1000).toISOString() })
const pages = (views: readonly PageView[]) => views.map(({ page }) => Number(page.split('/')[2]))

let answers: Sent[]
let sent: number[][]
let handed: number[][]
let takes: boolean
let open: ((answer: Sent) => void) | undefined

function queue(who = 'anna', wait = false) {
  return new ViewQueue({
    who,
    storage: sessionStorage,
    send: (views) => {
      sent.push(pages(views))
      if (wait) return new Promise((resolve) => (open = resolve))
      return Promise.resolve(answers.shift() ?? 'stored')
    },
    hand: (views) => {
      if (takes) handed.push(pages(views))
      return takes
    },
  })
}
const left = (who = 'anna') => pages(JSON.parse(sessionStorage.getItem(`mybeacon.views.${who}`) ?? '[]') as PageView[])

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  answers = []
  sent = []
  handed = []
  takes = true
  open = undefined
})
afterEach(() => void vi.useRealTimers())

describe('ViewQueue', () => {
  it('sends several at once and lets go of what is stored', async () => {
    const views = queue()
    views.add(view(1))
    views.add(view(2))
    expect(left()).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(2000)
    expect([sent, left()]).toEqual([[[1, 2]], []])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('sends more than one batch in turn', async () => {
    const views = queue()
    for (let n = 0; n < 250; n++) views.add(view(n))
    await vi.advanceTimersByTimeAsync(2000)
    expect(sent.map(({ length }) => length)).toEqual([100, 100, 50])
    expect(sent.flat()).toEqual(Array.from({ length: 250 }, (_, n) => n))
  })

  it('tries again after growing pauses while the server is away', async () => {
    answers = ['later', 'later', 'later']
    const views = queue()
    views.add(view(1))
    await vi.advanceTimersByTimeAsync(1500)
    expect(sent.length).toBe(1)
    views.add(view(2))
    await vi.advanceTimersByTimeAsync(2999)
    expect(sent.length).toBe(1)
    await vi.advanceTimersByTimeAsync(1 + 6000 + 12_000)
    expect(sent).toEqual([[1], [1, 2], [1, 2], [1, 2]])
    expect(left()).toEqual([])
  })

  it('lets go of what the server refuses for good', async () => {
    answers = ['refused']
    queue().add(view(1))
    await vi.advanceTimersByTimeAsync(100_000)
    expect([sent.length, left()]).toEqual([1, []])
  })

  it('hands everything over when the page closes', () => {
    const views = queue()
    for (let n = 0; n < 120; n++) views.add(view(n))
    views.handOver()
    expect(handed.map(({ length }) => length)).toEqual([100, 20])
    expect(left()).toEqual([])
  })

  it('keeps what the browser does not take', () => {
    takes = false
    const views = queue()
    views.add(view(1))
    views.handOver()
    expect(left()).toEqual([1])
  })

  it('hands over nothing that is on its way already', async () => {
    const views = queue('anna', true)
    views.add(view(1))
    await vi.advanceTimersByTimeAsync(1500)
    expect(sent).toEqual([[1]])
    views.handOver()
    expect(handed).toEqual([])
    open?.('stored')
    await vi.advanceTimersByTimeAsync(0)
    expect(left()).toEqual([])
  })

  it('keeps what it hands over to a server that was away', async () => {
    answers = ['later']
    const views = queue()
    views.add(view(1))
    await vi.advanceTimersByTimeAsync(1500)
    views.handOver()
    expect([handed, left()]).toEqual([[[1]], [1]])
  })

  it('goes on after a reload, and only as the same person', async () => {
    sessionStorage.setItem('mybeacon.views.anna', JSON.stringify([view(7), { page: 3 }, null]))
    queue('boris')
    await vi.advanceTimersByTimeAsync(5000)
    expect(sent).toEqual([])
    queue('anna')
    await vi.advanceTimersByTimeAsync(5000)
    expect(sent).toEqual([[7]])
  })

  it.each(['{', '{"page":"/x"}', 'null'])('survives %s in the storage', (text) => {
    sessionStorage.setItem('mybeacon.views.anna', text)
    const views = queue()
    views.add(view(1))
    expect(left()).toEqual([1])
  })
})
