import { waitBefore } from './backoff'
import { decodeMessage, type LiveMessage } from './messages'

export const subProtocol = 'mybeacon.v1+json'

/** What the rest of the console may know of the connection. */
export type LiveStatus =
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'online' }
  /** `retryAt`: when the next try starts, on the injected clock. */
  | { kind: 'waiting'; retryAt: number }
  /** The browser has no network; the next try starts when it has. */
  | { kind: 'offline' }
  | { kind: 'denied' }
  | { kind: 'unauthorised' }

/** Asks over plain HTTP how things stand, as a socket cannot tell a 401 from a dead server. */
export type Probe = () => Promise<'ok' | 'unauthorised' | 'away'>

export interface LiveClientOptions {
  url: string
  location: string
  /** How often the server may send, milliseconds. */
  rateMs?: number
  probe: Probe
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
    this.options.onStatus({ kind: 'connecting' })
    const socket = new this.WebSocketClass(this.options.url, subProtocol)
    this.socket = socket
    socket.onopen = () => this.subscribe(socket)
    socket.onmessage = (event: MessageEvent) => this.receive(event.data)
    socket.onclose = (event: CloseEvent) => this.closed(event.code)
    this.after(connectTimeoutMs, () => this.lost())
  }

  /** The browser says that the network is gone. */
  goneOffline(): void {
    this.drop()
    this.options.onStatus({ kind: 'offline' })
  }

  /** Ends the subscription; the client says nothing after that. */
  close(): void {
    this.drop()
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
    // After a gap only the snapshot that follows it is something to resume from.
    this.since = message.type === 'gap' ? undefined : { epoch: message.epoch, seq: message.seq }
    this.options.onMessage(message)
    this.after(silenceMs, () => this.lost())
  }

  /** A delta of another epoch or behind what is known must not move anything. */
  private isOld(message: LiveMessage): boolean {
    if (message.type !== 'delta' || !this.since) return false
    return message.epoch !== this.since.epoch || message.seq < this.since.seq
  }

  private closed(code: number): void {
    this.drop()
    if (code === closeCode.unauthorised) this.options.onStatus({ kind: 'unauthorised' })
    else if (code === closeCode.denied) this.options.onStatus({ kind: 'denied' })
    else if (code === closeCode.limited) this.wait(limitedWaitMs * (1 + this.random()))
    else if (code === closeCode.restart) this.wait(500 + restartSpreadMs * this.random())
    else this.lost()
  }

  private lost(): void {
    const neverOpened = !this.opened
    this.drop()
    this.wait(waitBefore(this.attempt++, this.random()))
    if (neverOpened) void this.checkLogin()
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
    clearTimeout(this.timer)
    this.timer = undefined
    const { socket } = this
    this.socket = undefined
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}
