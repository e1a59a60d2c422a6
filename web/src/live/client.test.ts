import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PollAnswer } from './access'
import { LiveClient, type LiveStatus, subProtocol } from './client'
import { TestSocket } from './livetest/socket'
import type { LiveMessage } from './messages'

let statuses: LiveStatus[]
let messages: LiveMessage[]
let answer: 'ok' | 'unauthorised' | 'away'

function connect(): LiveClient {
  const client = new LiveClient({
    url: 'ws://host/api/v1/live',
    location: 'loc',
    rateMs: 250,
    probe: async () => answer,
    onMessage: (message) => messages.push(message),
    onStatus: (status) => statuses.push(status),
    WebSocket: TestSocket as unknown as typeof WebSocket,
    random: () => 1,
  })
  client.retry()
  return client
}

function online(): LiveClient {
  const client = connect()
  TestSocket.last.accept()
  TestSocket.last.push({ type: 'snapshot', seq: 5 })
  return client
}

const status = () => statuses.at(-1)
const sub = () => JSON.parse(TestSocket.last.sent[0] ?? '{}').sub

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  TestSocket.reset()
  statuses = []
  messages = []
  answer = 'away'
})
afterEach(() => void vi.useRealTimers())

describe('subscribing', () => {
  it('asks for the location once the socket is open, and is online with the first message', () => {
    connect()
    expect(TestSocket.last).toMatchObject({ url: 'ws://host/api/v1/live', protocol: subProtocol })
    expect(status()).toEqual({ kind: 'connecting' })
    TestSocket.last.accept()
    expect(sub()).toEqual({ location: 'loc', rate_ms: 250 })
    TestSocket.last.push({ type: 'snapshot' })
    expect(status()).toEqual({ kind: 'online' })
    expect(messages).toHaveLength(1)
  })

  it('ignores what is no message, deltas of another epoch and deltas that are behind', () => {
    online()
    TestSocket.last.onmessage?.({ data: 'nonsense' })
    TestSocket.last.onmessage?.({ data: new ArrayBuffer(2) })
    TestSocket.last.push({ type: 'delta', epoch: 'other', seq: 9 })
    TestSocket.last.push({ type: 'delta', seq: 4 })
    TestSocket.last.push({ type: 'delta', seq: 6 })
    expect(messages.map(({ type, seq }) => [type, seq])).toEqual([['snapshot', 5], ['delta', 6]])
  })
})

describe('a lost connection', () => {
  it('is tried again after a doubling wait that ends with the first message', () => {
    online()
    TestSocket.last.end()
    expect(status()).toEqual({ kind: 'waiting', retryAt: 1000 })
    vi.advanceTimersByTime(1000)
    TestSocket.last.end()
    expect(status()).toEqual({ kind: 'waiting', retryAt: 3000 })
    vi.advanceTimersByTime(2000)
    TestSocket.last.accept()
    TestSocket.last.push({ type: 'delta', seq: 6 })
    TestSocket.last.end()
    expect(status()).toEqual({ kind: 'waiting', retryAt: 4000 })
  })

  it('resumes behind the last message', () => {
    online()
    TestSocket.last.push({ type: 'delta', seq: 8 })
    TestSocket.last.end()
    vi.advanceTimersByTime(1000)
    TestSocket.last.accept()
    expect(sub()).toMatchObject({ since: { epoch: 'e', seq: 8 } })
  })

  it('starts anew after a gap that no snapshot followed', () => {
    online()
    TestSocket.last.push({ type: 'gap', epoch: 'new', seq: 1 })
    TestSocket.last.end()
    vi.advanceTimersByTime(1000)
    TestSocket.last.accept()
    expect(sub()).not.toHaveProperty('since')
  })

  it('takes the snapshot after a gap though its numbers are smaller', () => {
    online()
    TestSocket.last.push({ type: 'gap', epoch: 'new', seq: 1 })
    TestSocket.last.push({ type: 'snapshot', epoch: 'new', seq: 1 })
    TestSocket.last.push({ type: 'delta', epoch: 'new', seq: 2 })
    expect(messages.map(({ type }) => type)).toEqual(['snapshot', 'gap', 'snapshot', 'delta'])
  })

  it('is noticed by silence', () => {
    online()
    const socket = TestSocket.last
    vi.advanceTimersByTime(24_000)
    socket.push({ type: 'delta', seq: 5 })
    vi.advanceTimersByTime(24_000)
    expect(status()).toEqual({ kind: 'online' })
    vi.advanceTimersByTime(1000)
    expect(status()).toMatchObject({ kind: 'waiting' })
    expect(socket.isClosed).toBe(true)
  })

  it('is noticed when the handshake never ends', () => {
    connect()
    vi.advanceTimersByTime(10_000)
    expect(status()).toEqual({ kind: 'waiting', retryAt: 11_000 })
  })

  it('can be ended at once by hand', () => {
    const client = online()
    TestSocket.last.end()
    client.retry()
    expect(status()).toEqual({ kind: 'connecting' })
    vi.advanceTimersByTime(5000)
    expect(TestSocket.all).toHaveLength(2)
  })
})

describe('close codes', () => {
  it.each([
    [4401, { kind: 'unauthorised' }],
    [4403, { kind: 'denied' }],
    [4408, { kind: 'waiting', retryAt: 1000 }],
    [4429, { kind: 'waiting', retryAt: 30_000 }],
    [1012, { kind: 'waiting', retryAt: 4500 }],
  ])('%i leads to %o', (code, want) => {
    online()
    TestSocket.last.end(code)
    expect(status()).toEqual(want)
  })

  it.each([4401, 4403])('%i is not tried again', (code) => {
    online()
    TestSocket.last.end(code)
    vi.advanceTimersByTime(3_600_000)
    expect(TestSocket.all).toHaveLength(1)
  })
})

describe('a refused handshake', () => {
  it('ends in a login when HTTP says 401', async () => {
    answer = 'unauthorised'
    connect()
    TestSocket.last.end()
    await vi.advanceTimersByTimeAsync(10)
    expect(status()).toEqual({ kind: 'unauthorised' })
  })

  it('is tried again when HTTP says nothing', async () => {
    connect()
    TestSocket.last.end()
    await vi.advanceTimersByTimeAsync(1000)
    expect(status()).toEqual({ kind: 'connecting' })
    expect(TestSocket.all).toHaveLength(2)
  })
})

describe('without network', () => {
  it('rests until it is back', () => {
    const client = online()
    client.goneOffline()
    expect(status()).toEqual({ kind: 'offline' })
    vi.advanceTimersByTime(3_600_000)
    expect(TestSocket.all).toHaveLength(1)
    client.retry()
    TestSocket.last.accept()
    expect(sub()).toMatchObject({ since: { seq: 5 } })
  })

  it('leaves nothing behind when closed', () => {
    const client = online()
    const before = statuses.length
    client.close()
    vi.advanceTimersByTime(3_600_000)
    expect(TestSocket.last.isClosed).toBe(true)
    expect(statuses).toHaveLength(before)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('without sockets', () => {
  let asked: (string | undefined)[]
  let answers: PollAnswer[]
  const told = (seq: number): LiveMessage => ({ type: seq === 1 ? 'snapshot' : 'delta', epoch: 'e', seq, at: 0, tags: [], zones: [] })

  function behindProxy(): LiveClient {
    asked = []
    const client = new LiveClient({
      url: async () => 'ws://host/api/v1/live?ticket=t',
      location: 'loc',
      probe: async () => 'ok',
      poll: async (since) => {
        asked.push(since && `${since.epoch}.${since.seq}`)
        return answers.shift() ?? 'away'
      },
      onMessage: (message) => messages.push(message),
      onStatus: (next) => statuses.push(next),
      WebSocket: TestSocket as unknown as typeof WebSocket,
      random: () => 1,
    })
    client.retry()
    return client
  }
  const settle = () => vi.advanceTimersByTimeAsync(0)

  it('asks over HTTP instead, from where it was, and says so', async () => {
    answers = [[told(1)], [told(4)], [told(2)]]
    behindProxy()
    await settle()
    TestSocket.last.end()
    await settle()
    expect(status()).toEqual({ kind: 'polling' })
    await vi.advanceTimersByTimeAsync(3000)
    await vi.advanceTimersByTimeAsync(3000)
    expect(asked).toEqual([undefined, 'e.1', 'e.4'])
    expect(messages.map(({ seq }) => seq)).toEqual([1, 4]) // what is behind moves nothing
  })

  it('tries the socket again after a minute without a word, and stays with it when it opens', async () => {
    answers = Array.from({ length: 30 }, (_, n) => [told(n + 1)])
    behindProxy()
    await settle()
    TestSocket.last.end()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(TestSocket.all).toHaveLength(2)
    expect(statuses.filter(({ kind }) => kind === 'connecting')).toHaveLength(1)
    TestSocket.last.accept()
    TestSocket.last.push({ type: 'delta', seq: 50 })
    expect(status()).toEqual({ kind: 'online' })
    const before = asked.length
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toHaveLength(before)
  })

  it.each([['unauthorised', 'unauthorised'], ['denied', 'denied'], ['away', 'waiting']] as const)('ends when the answer is %s', async (answer, kind) => {
    answers = [[told(1)], answer]
    behindProxy()
    await settle()
    TestSocket.last.end()
    await vi.advanceTimersByTimeAsync(3000)
    expect(status()?.kind).toBe(kind)
  })

  it('says nothing any more once it is closed', async () => {
    answers = [[told(1)]]
    const client = behindProxy()
    await settle()
    TestSocket.last.end()
    client.close()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(messages).toHaveLength(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
