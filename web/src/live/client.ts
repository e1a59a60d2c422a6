import type { PollAnswer } from './access'
import { waitBefore } from './backoff'
import { decodeMessage, type LiveMessage } from './messages'

export const subProtocol = 'mybeacon.v1+json'

/** What the rest of the console may know of the connection. */
export type LiveStatus =
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'online' }
  /** No socket can be opened, and the state is asked for every few seconds instead. */
  | { kind: 'polling' }
  /** `retryAt`: when the next try starts, on the injected clock. */
  | { kind: 'waiting'; retryAt: number }
  /** The browser has no network; the next try starts when it has. */
  | { kind: 'offline' }
  | { kind: 'denied' }
  | { kind: 'unauthorised' }

/** Asks over plain HTTP how things stand, as a socket cannot tell a 401 from a dead server. */
export type Probe = () => Promise<'ok' | 'unauthorised' | 'away'>

export interface LiveClientOptions {
  /** Where to connect; a function is asked before each try. */
  url: string | (() => Promise<string>)
  location: string
  /** How often the server may send, milliseconds. */
  rateMs?: number
  probe: Probe
  /** Asks for the state over plain HTTP; without it there is only the socket. */
  poll?: (since?: { epoch: string; seq: number }) => Promise<PollAnswer>
  onMessage: (message: LiveMessage) => void
  onStatus: (status: LiveStatus) => void
  WebSocket?: typeof WebSocket
  now?: () => number
  random?: () => number
}

const closeCode = { unauthorised: 4401, denied: 4403, limited: 4429, restart: 1012 }

// A handshake that takes longer than this will not come to anything.
const connectTimeoutMs = 10_000
// The server sends an empty delta every 10 s even when nothing moves: two of
// them missing means a connection that is dead without having been closed.
const silenceMs = 25_000
// After a restart every client comes back; they spread over this time.
const restartSpreadMs = 4000
// The limit counts open sockets, so coming back at once would meet it again.
const limitedWaitMs = 15_000
// How often the state is asked for while no socket can be opened.
const pollMs = 3000
// Proxies are mended, too: after so many questions the socket is tried again.
const pollsPerTry = 20

/**
 * One subscription to one location. Keeps itself connected until `close`, and
 * resumes with the last epoch and sequence number it saw. After `denied` or
 * `unauthorised` it rests until `retry`.
 */
export class LiveClient {
  private socket: WebSocket | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private since: { epoch: string; seq: number } | undefined
  private opened = false
  // Grows with each end of what was being tried: a late answer belongs to an older one.
  private turn = 0
  private polls = 0
  private isPolling = false
  private readonly WebSocketClass: typeof WebSocket
  private readonly now: () => number
  private readonly random: () => number

  constructor(private readonly options: LiveClientOptions) {
    this.WebSocketClass = options.WebSocket ?? WebSocket
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
  }

  /** Connects at once, also out of a wait. */
  retry(): void {
    this.drop()
    this.opened = false
    // The map goes on meanwhile: what is on the screen is a few seconds old at most.
    if (!this.isPolling) this.options.onStatus({ kind: 'connecting' })
    this.after(connectTimeoutMs, () => this.lost())
    const { url } = this.options
    if (typeof url === 'string') this.connect(url)
    else void this.connectTo(url)
  }

  private async connectTo(url: () => Promise<string>): Promise<void> {
    const { turn } = this
    const address = await url()
    if (turn === this.turn) this.connect(address)
  }

  private connect(url: string): void {
    const socket = new this.WebSocketClass(url, subProtocol)
    this.socket = socket
    socket.onopen = () => this.subscribe(socket)
    socket.onmessage = (event: MessageEvent) => this.receive(event.data)
    socket.onclose = (event: CloseEvent) => this.closed(event.code)
  }

  /** The browser says that the network is gone. */
  goneOffline(): void {
    this.drop()
    this.isPolling = false
    this.options.onStatus({ kind: 'offline' })
  }

  /** Ends the subscription; the client says nothing after that. */
  close(): void {
    this.drop()
    this.isPolling = false
    this.since = undefined
  }

  private subscribe(socket: WebSocket): void {
    const sub: Record<string, unknown> = { location: this.options.location }
    if (this.options.rateMs) sub.rate_ms = this.options.rateMs
    if (this.since) sub.since = this.since
    socket.send(JSON.stringify({ sub }))
  }

  private receive(data: unknown): void {
    const message = typeof data === 'string' ? decodeMessage(data) : undefined
    if (message === undefined || this.isOld(message)) return
    this.attempt = 0
    if (!this.opened) this.options.onStatus({ kind: 'online' })
    this.opened = true
    this.isPolling = false
    this.take(message)
    this.after(silenceMs, () => this.lost())
  }

  private take(message: LiveMessage): void {
    // After a gap only the snapshot that follows it is something to resume from.
    this.since = message.type === 'gap' ? undefined : { epoch: message.epoch, seq: message.seq }
    this.options.onMessage(message)
  }

  /** A delta of another epoch or behind what is known must not move anything. */
  private isOld(message: LiveMessage): boolean {
    if (message.type !== 'delta' || !this.since) return false
    return message.epoch !== this.since.epoch || message.seq < this.since.seq
  }

  private closed(code: number): void {
    this.drop()
    if (code === closeCode.unauthorised || code === closeCode.denied) this.isPolling = false
    if (code === closeCode.unauthorised) this.options.onStatus({ kind: 'unauthorised' })
    else if (code === closeCode.denied) this.options.onStatus({ kind: 'denied' })
    else if (code === closeCode.limited) this.wait(limitedWaitMs * (1 + this.random()))
    else if (code === closeCode.restart) this.wait(500 + restartSpreadMs * this.random())
    else this.lost()
  }

  private lost(): void {
    const neverOpened = !this.opened
    this.drop()
    this.polls = 0
    if (this.isPolling) return void this.ask()
    this.wait(waitBefore(this.attempt++, this.random()))
    if (neverOpened) void (this.options.poll ? this.ask() : this.checkLogin())
  }

  /**
   * Asks for the state over plain HTTP. A server that answers there while no socket
   * opens has something between it and here that lets none through.
   */
  private async ask(): Promise<void> {
    const { turn } = this
    const answer = await this.options.poll?.(this.since)
    if (turn !== this.turn || answer === undefined) return
    if (answer === 'unauthorised' || answer === 'denied') return this.closed(closeCode[answer])
    if (answer === 'away') {
      // A wait that runs already goes on.
      if (this.isPolling) this.wait(waitBefore(this.attempt++, this.random()))
      this.isPolling = false
      return
    }
    this.isPolling = true
    this.options.onStatus({ kind: 'polling' })
    for (const message of answer) if (!this.isOld(message)) this.take(message)
    this.after(pollMs, () => (++this.polls >= pollsPerTry ? this.retry() : void this.ask()))
  }

  private wait(ms: number): void {
    this.options.onStatus({ kind: 'waiting', retryAt: this.now() + ms })
    this.after(ms, () => this.retry())
  }

  private async checkLogin(): Promise<void> {
    const { timer } = this
    const answer = await this.options.probe()
    if (timer === this.timer && answer === 'unauthorised') this.closed(closeCode.unauthorised)
  }

  private after(ms: number, run: () => void): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(run, ms)
  }

  /** Lets go of socket and timer; nothing of them is heard again. */
  private drop(): void {
    this.turn++
    clearTimeout(this.timer)
    this.timer = undefined
    const { socket } = this
    this.socket = undefined
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}
