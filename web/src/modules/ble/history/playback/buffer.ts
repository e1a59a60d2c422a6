import { type TrackColumns, Tracks } from './tracks'

export interface TrackRequest {
  from: number
  to: number
  cursor: string
}

export interface TrackPage {
  columns: TrackColumns
  /** Empty at the end of what was asked for. */
  next: string
}

export type LoadTracks = (request: TrackRequest, signal: AbortSignal) => Promise<TrackPage>

export interface TrackBufferOptions {
  load: LoadTracks
  /** The range of the playback, milliseconds. */
  from: number
  to: number
  /** One fix of each such stretch is asked for; 0: all. */
  stepMs: number
  /** Something came, or could not. */
  onChange: () => void
}

// The first question is about so little that its answer is there at once.
const firstMs = 60_000
// Answers of about this many fixes are quick to read, and few.
const wantedRows = 8000
const longestMs = 6 * 3_600_000
// Nobody looks back further than the longest trail without a jump.
const keptMs = 2 * 3_600_000

/**
 * What a playback has of the range: a stretch around the head, loaded ahead of
 * it in windows that adapt to how much there is. One question at a time; a jump
 * out of the stretch starts over.
 */
export class TrackBuffer {
  tracks: Tracks
  failure: unknown
  /** What is complete: [from, until). */
  from: number
  until: number
  private windowMs: number
  private asking: AbortController | undefined

  constructor(private readonly options: TrackBufferOptions) {
    this.tracks = new Tracks(options.stepMs)
    this.from = this.until = options.from
    this.windowMs = this.aligned(firstMs)
  }

  get isLoading(): boolean {
    return this.asking !== undefined
  }

  /** Whether the tags' places at a moment are known. */
  has(time: number): boolean {
    return time >= this.from && (time < this.until || this.until >= this.options.to)
  }

  /** Sees to it that there is enough from a moment on. Does nothing while it is seeing to it. */
  want(time: number, aheadMs: number): void {
    if (time < this.from || time > this.until) this.restart(time)
    if (this.asking || this.failure !== undefined) return
    if (this.until < Math.min(this.options.to, time + aheadMs)) void this.loadNext(time)
  }

  retry(): void {
    this.failure = undefined
  }

  stop(): void {
    this.asking?.abort()
    this.asking = undefined
  }

  private restart(time: number): void {
    this.stop()
    this.tracks = new Tracks(this.options.stepMs)
    // Stretches begin at full steps: the same fix stands for each, wherever one jumps to.
    const step = Math.max(1, this.options.stepMs)
    this.from = this.until = Math.max(this.options.from, Math.floor(time / step) * step)
    this.windowMs = this.aligned(firstMs)
    this.failure = undefined
  }

  private async loadNext(head: number): Promise<void> {
    const asking = (this.asking = new AbortController())
    const to = Math.min(this.options.to, this.until + this.windowMs)
    try {
      let rows = 0
      let cursor = ''
      do {
        const { columns, next } = await this.options.load({ from: this.until, to, cursor }, asking.signal)
        if (this.asking !== asking) return
        this.tracks.append(columns)
        rows += columns.at.length
        cursor = next
      } while (cursor !== '')
      this.until = to
      this.adapt(rows)
      this.tracks.dropBefore(head - keptMs)
      this.from = Math.max(this.from, head - keptMs)
    } catch (error) {
      if (this.asking !== asking) return
      this.failure = error
    }
    this.asking = undefined
    this.options.onChange()
  }

  private adapt(rows: number): void {
    const factor = Math.min(4, Math.max(0.25, wantedRows / Math.max(1, rows)))
    this.windowMs = Math.min(longestMs, Math.max(this.aligned(firstMs), this.aligned(this.windowMs * factor)))
  }

  private aligned(ms: number): number {
    const step = Math.max(1000, this.options.stepMs)
    return Math.max(1, Math.round(ms / step)) * step
  }
}
