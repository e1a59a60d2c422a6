import { type LoadTracks, TrackBuffer } from './buffer'
import { advance, aheadOf, stepOf } from './playhead'
import type { Range } from './range'
import type { Tracks } from './tracks'

export interface PlaybackSource {
  range: Range
  speed: number
  /** Reads fixes of which one of each `stepMs` is enough. */
  load: (stepMs: number) => LoadTracks
}

export interface PlayerState {
  at: number
  /** Up to where fixes are there. */
  loadedTo: number
  isPlaying: boolean
  /** It cannot show the head yet. */
  isWaiting: boolean
  failure: unknown
}

export interface PlayerOptions {
  /** Draws a moment; called at most once per animation frame. */
  onFrame: (tracks: Tracks, at: number) => void
  /** The person stopped or jumped: worth remembering. */
  onRest: (at: number) => void
  onState: (state: PlayerState) => void
  /** Calls back with the clock in milliseconds at the next frame; returns how to call that off. */
  schedule: (tick: (now: number) => void) => () => void
}

// The slider and the clock beside it need no more.
const reportMs = 120

/** Plays a range: moves the head, sees to it that fixes are there before it comes, draws. */
export class Player {
  private source: PlaybackSource | undefined
  private buffer: TrackBuffer | undefined
  private head = 0
  private isPlaying = false
  private isWaiting = true
  private tickedAt: number | undefined
  private reportedAt = 0
  private callOff: (() => void) | undefined

  constructor(private readonly options: PlayerOptions) {}

  /** Takes another range, speed or choice of tags over, and stands at a moment of it. */
  open(source: PlaybackSource, at: number): void {
    this.source = source
    this.buffer?.stop()
    const stepMs = stepOf(source.speed)
    this.buffer = new TrackBuffer({ ...source.range, stepMs, load: source.load(stepMs), onChange: () => this.wake() })
    this.stand(at)
  }

  get at(): number {
    return this.head
  }

  toggle(): void {
    if (this.isPlaying) this.pause()
    else this.play()
  }

  play(): void {
    if (!this.source) return
    this.isPlaying = true
    this.stand(this.head >= this.source.range.to ? this.source.range.from : this.head)
  }

  pause(): void {
    if (!this.isPlaying) return
    this.isPlaying = false
    this.report()
    this.options.onRest(this.head)
  }

  seek(to: number): void {
    this.stand(to)
    if (!this.isPlaying) this.options.onRest(this.head)
  }

  retry(): void {
    this.buffer?.retry()
    this.wake()
  }

  /** Draws the moment once more. */
  redraw(): void {
    this.wake()
  }

  stop(): void {
    this.callOff?.()
    this.buffer?.stop()
    this.source = this.buffer = undefined
  }

  private stand(at: number): void {
    if (!this.source) return
    const { from, to } = this.source.range
    this.head = Math.min(to, Math.max(from, at))
    this.tickedAt = undefined
    this.report()
    this.wake()
  }

  private wake(): void {
    this.callOff ??= this.options.schedule((now) => this.tick(now))
  }

  private tick(now: number): void {
    this.callOff = undefined
    const { source, buffer } = this
    if (!source || !buffer) return
    buffer.want(this.head, aheadOf(source.speed))
    // After a jump or a wait it goes on from where it stands.
    const elapsedMs = this.tickedAt === undefined || this.isWaiting ? 0 : now - this.tickedAt
    this.tickedAt = now
    const waited = this.isWaiting
    this.isWaiting = !buffer.has(this.head)
    if (this.isPlaying) this.move(source, buffer, elapsedMs)
    if (buffer.has(this.head)) this.options.onFrame(buffer.tracks, this.head)
    if (!this.isPlaying || this.isWaiting || waited || now - this.reportedAt >= reportMs) {
      this.reportedAt = now
      this.report()
    }
    // While it waits there is nothing to draw: what comes wakes it.
    if (this.isPlaying && !this.isWaiting) this.wake()
  }

  private move({ range, speed }: PlaybackSource, buffer: TrackBuffer, elapsedMs: number): void {
    const next = advance(this.head, elapsedMs, speed, { until: buffer.has(this.head) ? buffer.until : this.head, to: range.to })
    this.head = next.at
    this.isWaiting ||= next.isWaiting
    if (next.isOver) this.pause()
  }

  private report(): void {
    const { head, buffer, isPlaying, isWaiting } = this
    this.options.onState({ at: head, loadedTo: buffer?.until ?? head, isPlaying, isWaiting, failure: buffer?.failure })
  }
}
