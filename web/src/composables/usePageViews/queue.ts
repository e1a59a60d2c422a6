/** A page that somebody opened; goes into the organisation's audit log. */
export interface PageView {
  page: string
  title?: string
  at: string
}

/** What became of a sending: stored, refused for good, or to be tried again. */
export type Sent = 'stored' | 'refused' | 'later'

export interface ViewQueueOptions {
  /** Sends and waits for the server's word; never throws. */
  send: (views: readonly PageView[]) => Promise<Sent>
  /** Hands over without waiting, as a page does that is being closed; false: not taken. */
  hand: (views: readonly PageView[]) => boolean
  /** Survives a reload, and dies with the tab. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  /** Whose views these are: what one person left behind is never sent as another. */
  who: string
}

// The server takes as many at once.
export const batchSize = 100
// An hour of a busy person; when the server is away for longer the oldest go.
const bound = 1000
const soonMs = 1500
const longestMs = 60_000

/**
 * Page views on their way to the server. A view is let go when the server has
 * stored it, or when the browser has taken over its delivery from a page that
 * closes.
 */
export class ViewQueue {
  private views: PageView[]
  private timer: ReturnType<typeof setTimeout> | undefined
  private isSending = false
  private failures = 0
  private readonly key: string

  constructor(private readonly options: ViewQueueOptions) {
    this.key = `mybeacon.views.${options.who}`
    this.views = this.kept()
    if (this.views.length > 0) this.plan(soonMs)
  }

  add(view: PageView): void {
    this.views = [...this.views, view].slice(-bound)
    this.keep()
    // While the server is away its pause counts, not the next click.
    if (this.timer === undefined && !this.isSending) this.plan(soonMs)
  }

  /** Sends what there is; the rest follows by itself. */
  async flush(): Promise<void> {
    this.stop()
    const batch = this.views.slice(0, batchSize)
    if (this.isSending || batch.length === 0) return
    this.isSending = true
    const sent = await this.options.send(batch)
    this.isSending = false
    this.failures = sent === 'later' ? this.failures + 1 : 0
    if (sent !== 'later') this.drop(batch)
    if (this.views.length > 0) this.plan(sent === 'later' ? Math.min(longestMs, soonMs * 2 ** this.failures) : 0)
  }

  /** For a page that closes: everything at once, without waiting for an answer. */
  handOver(): void {
    // What is being sent is in the browser's hands already, and would come twice.
    const rest = this.isSending ? this.views.slice(batchSize) : this.views
    for (let from = 0; from < rest.length; from += batchSize) {
      const batch = rest.slice(from, from + batchSize)
      if (!this.options.hand(batch)) return
      // A server that was away a moment ago may not hear this either: kept as well.
      if (this.failures === 0) this.drop(batch)
    }
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private plan(ms: number): void {
    this.stop()
    this.timer = setTimeout(() => void this.flush(), ms)
  }

  private drop(batch: readonly PageView[]): void {
    const gone = new Set(batch)
    this.views = this.views.filter((view) => !gone.has(view))
    this.keep()
  }

  private keep(): void {
    try {
      if (this.views.length === 0) this.options.storage.removeItem(this.key)
      else this.options.storage.setItem(this.key, JSON.stringify(this.views))
    } catch {
      // Storage may be forbidden or full: then they last as long as the page.
    }
  }

  private kept(): PageView[] {
    try {
      const views: unknown = JSON.parse(this.options.storage.getItem(this.key) ?? '[]')
      return Array.isArray(views) ? views.filter(isView).slice(-bound) : []
    } catch {
      return []
    }
  }
}

function isView(value: unknown): value is PageView {
  return typeof value === 'object' && value !== null && 'page' in value && typeof value.page === 'string' && 'at' in value && typeof value.at === 'string'
}
