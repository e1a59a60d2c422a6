/** A WebSocket whose server side is the test. */
export class TestSocket {
  static all: TestSocket[] = []

  static get last(): TestSocket {
    const socket = TestSocket.all.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }

  static reset(): void {
    TestSocket.all = []
  }

  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: string[] = []
  isClosed = false

  constructor(readonly url: string, readonly protocol: string) {
    TestSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(text)
  }

  close(): void {
    this.isClosed = true
  }

  /** The handshake succeeds. */
  accept(): void {
    this.onopen?.()
  }

  /** The server sends a message. */
  push(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ epoch: 'e', seq: 1, tags: [], zones: [], ...message }) })
  }

  /** The server, or the network, ends it. */
  end(code = 1006): void {
    this.onclose?.({ code })
  }
}
