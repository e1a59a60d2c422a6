import type { MapTag } from '@/map/types'
import type { Trail } from '@/map/playback/types'
import type { Tracks } from './tracks'

export interface Named {
  name: string
  type: string
}

export interface Frame {
  tags: MapTag[]
  /** Tags per zone; those outside of all are not counted. */
  zones: ReadonlyMap<string, number>
}

/**
 * Turns fixes into what the map draws at a moment. A tag that did not move is
 * the same object as before, so that the map leaves its element alone.
 */
export class Frames {
  private known = new Map<string, MapTag>()

  constructor(private readonly metaOf: (id: string) => Named) {}

  draw(tracks: Tracks, at: number): Frame {
    const next = new Map<string, MapTag>()
    const zones = new Map<string, number>()
    for (const id of tracks.tags) {
      const place = tracks.placeAt(id, at)
      if (!place) continue
      const old = this.known.get(id)
      const isSame = old !== undefined && old.x === place.x && old.y === place.y && old.accuracyM === place.accuracyM
      next.set(id, isSame ? old : { id, ...this.metaOf(id), signal: '', x: place.x, y: place.y, accuracyM: place.accuracyM, stale: false })
      if (place.zone) zones.set(place.zone, (zones.get(place.zone) ?? 0) + 1)
    }
    this.known = next
    return { tags: [...next.values()], zones }
  }
}

// As many points as a canvas strokes within a frame of a slow machine.
const mostPoints = 24_000

/** The trails of everybody on the map; with very many of them, the chosen one's and as many others as can be drawn. */
export function trailsOf(tracks: Tracks, tags: readonly MapTag[], at: number, lengthMs: number, selected: string): Trail[] {
  if (lengthMs <= 0) return []
  const trails: Trail[] = []
  let points = 0
  const inOrder = [...tags].sort((a, b) => Number(b.id === selected) - Number(a.id === selected))
  for (const { id, type } of inOrder) {
    const pieces = tracks.trail(id, at, lengthMs)
    points += pieces.reduce((sum, piece) => sum + piece.length / 2, 0)
    if (points > mostPoints) break
    trails.push({ pieces, type, isSelected: id === selected })
  }
  return trails
}
