/** Fixes as columns of one length, by time. Times in milliseconds, lengths in metres. */
export interface TrackColumns {
  readonly tag: readonly string[]
  readonly at: readonly number[]
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly accuracy: readonly number[]
  /** Empty outside zones. */
  readonly zone: readonly string[]
  readonly validMs: readonly number[]
}

/** Where a tag was at a moment. */
export interface Place {
  x: number
  y: number
  accuracyM: number
  zone: string
}

/** The fixes of one tag, and the one that held when it was asked last. */
class Track {
  readonly at: number[] = []
  readonly x: number[] = []
  readonly y: number[] = []
  readonly accuracy: number[] = []
  readonly zone: string[] = []
  readonly validMs: number[] = []
  private cursor = 0

  /** The last fix that began by then; -1 before the first. */
  indexAt(time: number): number {
    const { at } = this
    if (at.length === 0 || (at[0] as number) > time) return -1
    let index = Math.min(this.cursor, at.length - 1)
    // Playing moves on by a fix at most; everything else is a jump.
    if ((at[index] as number) > time || (at[index + 8] ?? Number.POSITIVE_INFINITY) <= time) index = this.search(time)
    while (index + 1 < at.length && (at[index + 1] as number) <= time) index++
    this.cursor = index
    return index
  }

  private search(time: number): number {
    let [low, high] = [0, this.at.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.at[middle] as number) <= time) low = middle
      else high = middle - 1
    }
    return low
  }

  dropFirst(count: number): void {
    for (const column of [this.at, this.x, this.y, this.accuracy, this.zone, this.validMs]) column.splice(0, count)
    this.cursor = Math.max(0, this.cursor - count)
  }
}

// Nobody walks this far between two fixes: it was elsewhere, so it jumps.
const jumpM = 30

/**
 * The fixes of a playback, by tag. A tag is somewhere only while a fix of it
 * holds; between two fixes it is on the way only if the earlier one held until
 * the later began. With `stepMs`, one fix of each step was asked for: a step
 * without one is a gap, anything less is not.
 */
export class Tracks {
  private readonly byTag = new Map<string, Track>()

  constructor(private readonly stepMs: number) {}

  get tags(): Iterable<string> {
    return this.byTag.keys()
  }

  /** Takes a page; what is known already, because pages overlap, is left out. */
  append(page: TrackColumns): void {
    page.at.forEach((at, row) => {
      const id = page.tag[row] as string
      let track = this.byTag.get(id)
      if (!track) this.byTag.set(id, (track = new Track()))
      if (at <= (track.at.at(-1) ?? Number.NEGATIVE_INFINITY)) return
      track.at.push(at)
      track.x.push(page.x[row] as number)
      track.y.push(page.y[row] as number)
      track.accuracy.push(page.accuracy[row] as number)
      track.zone.push(page.zone[row] as string)
      track.validMs.push(page.validMs[row] as number)
    })
  }

  /** Lets go of fixes that ended before; the one that held then stays. */
  dropBefore(time: number): void {
    for (const [id, track] of this.byTag) {
      const index = track.indexAt(time)
      if (index > 0) track.dropFirst(index)
      if (track.at.length === 1 && (track.at[0] as number) + (track.validMs[0] as number) <= time) this.byTag.delete(id)
    }
  }

  /** Where a tag was; undefined while nothing held. */
  placeAt(id: string, time: number): Place | undefined {
    const track = this.byTag.get(id)
    const index = track?.indexAt(time) ?? -1
    if (!track || index < 0) return undefined
    const from = track.at[index] as number
    const place = { x: track.x[index] as number, y: track.y[index] as number, accuracyM: track.accuracy[index] as number, zone: track.zone[index] as string }
    if (this.isJoined(track, index)) return onTheWay(place, track, index, time)
    return time < from + (track.validMs[index] as number) ? place : undefined
  }

  /** The way a tag came in the last `lengthMs`, oldest first, in pieces where it was lost between. Flat x, y pairs. */
  trail(id: string, time: number, lengthMs: number): number[][] {
    const track = this.byTag.get(id)
    const last = track?.indexAt(time) ?? -1
    const now = this.placeAt(id, time)
    if (!track || last < 0) return []
    const pieces: number[][] = []
    let piece: number[] = now ? [now.y, now.x] : []
    for (let index = last; index >= 0 && (track.at[index] as number) > time - lengthMs; index--) {
      if (index < last && !this.isJoined(track, index)) {
        pieces.push(piece)
        piece = []
      }
      piece.push(track.y[index] as number, track.x[index] as number)
    }
    return [...pieces, piece].filter(({ length }) => length > 2).map((flat) => flat.reverse())
  }

  /** Whether the fix after this one took over while this one held. */
  private isJoined(track: Track, index: number): boolean {
    const next = track.at[index + 1]
    if (next === undefined) return false
    const gap = next - (track.at[index] as number)
    return gap <= (track.validMs[index] as number) || gap < 2 * this.stepMs
  }
}

function onTheWay(place: Place, track: Track, index: number, time: number): Place {
  const [fromAt, toAt] = [track.at[index] as number, track.at[index + 1] as number]
  const [dx, dy] = [(track.x[index + 1] as number) - place.x, (track.y[index + 1] as number) - place.y]
  if (Math.hypot(dx, dy) > jumpM) return place
  const share = (time - fromAt) / (toAt - fromAt)
  return { ...place, x: place.x + dx * share, y: place.y + dy * share }
}
