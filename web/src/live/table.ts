import type { LiveMessage, LiveTag, LiveZone } from './messages'

/** A tag with the moment (this browser's clock) when news of it came last. */
export interface HeardTag extends LiveTag {
  /** Milliseconds; -Infinity while it is only known from a snapshot. */
  readonly heardAt: number
}

/**
 * The newest state of every tag and zone of one location. Entries are replaced,
 * never changed, so a reader may compare by identity. Not reactive: the store
 * announces changes once per animation frame.
 */
export class LiveTable {
  readonly tags = new Map<string, HeardTag>()
  readonly zones = new Map<string, LiveZone>()
  private snapshotAt = Number.NEGATIVE_INFINITY

  /** Takes a message in; `now` is the browser's clock in milliseconds. */
  apply(message: LiveMessage, now: number): void {
    if (message.type === 'gap') return
    if (message.type === 'snapshot') {
      this.clear()
      this.snapshotAt = now
    }
    for (const tag of message.tags) this.put(tag, now)
    for (const zone of message.zones) {
      if (zone.gone) this.zones.delete(zone.id)
      else this.zones.set(zone.id, zone)
    }
  }

  private put(tag: LiveTag, now: number): void {
    if (tag.state === 'gone') this.tags.delete(tag.id)
    else this.tags.set(tag.id, { ...tag, heardAt: this.heardAt(tag, now) })
  }

  /** A large snapshot is cut and its rest follows as deltas, so these are no news yet. */
  private heardAt(tag: LiveTag, now: number): number {
    const known = this.tags.get(tag.id)
    if (!known) return now - this.snapshotAt > snapshotRestMs ? now : Number.NEGATIVE_INFINITY
    return tag.at > known.at ? now : known.heardAt
  }

  clear(): void {
    this.tags.clear()
    this.zones.clear()
  }
}

// The rest of a cut snapshot follows at once; this leaves room for a slow line.
const snapshotRestMs = 3000

/** A tag is dimmed when nothing was heard of it for this long. */
export const staleAfterMs = 30_000

/**
 * Whether a tag's position is news. Event times of a recording lie years back,
 * so a delta that came just now counts as news whatever its time says.
 */
export function isFresh(tag: HeardTag, now: number, clockOffsetMs = 0): boolean {
  if (tag.state !== 'present') return false
  return now - tag.heardAt <= staleAfterMs || now + clockOffsetMs - tag.at <= staleAfterMs
}

/** Milliseconds since the tag was heard, 0 while it is fresh by arrival. */
export function ageOf(tag: HeardTag, now: number, clockOffsetMs = 0): number {
  if (tag.state === 'present' && now - tag.heardAt <= staleAfterMs) return now - tag.heardAt
  return Math.max(0, now + clockOffsetMs - tag.at)
}
