import type { HeardTag } from '@/live/table'
import type { MapTag } from '@/map/types'
import type { TagRow } from './tagRows'

/**
 * Turns rows into what the map draws. An entry of which nothing changed is the
 * same object as before, so that the map leaves its element alone.
 */
export class MapTagCache {
  private signalOf: unknown
  private known = new Map<string, { source: HeardTag; drawn: MapTag }>()

  /**
   * `signalOf` writes the part of the label that follows the name; another function
   * writes all anew.
   */
  draw(rows: readonly TagRow[], plan: string, signalOf: (tag: HeardTag) => string): MapTag[] {
    if (signalOf !== this.signalOf) this.known.clear()
    this.signalOf = signalOf
    const next = new Map<string, { source: HeardTag; drawn: MapTag }>()
    for (const { tag, fresh } of rows) {
      if (tag.plan !== plan) continue
      const old = this.known.get(tag.id)
      const same = old?.source === tag && old.drawn.stale === !fresh
      next.set(tag.id, same ? old : { source: tag, drawn: drawnOf(tag, !fresh, signalOf(tag)) })
    }
    this.known = next
    return [...next.values()].map(({ drawn }) => drawn)
  }
}

function drawnOf(tag: HeardTag, stale: boolean, signal: string): MapTag {
  const { id, type, name, x, y, accuracyM } = tag
  return { id, type, name, signal, x, y, accuracyM, stale }
}
