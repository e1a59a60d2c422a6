// What the map draws. Lengths are metres, x to the right and y up; angles are
// degrees clockwise.

import type { EditPicture } from './edit/types'

export interface MapPoint {
  x: number
  y: number
}

export interface MapPlan {
  id: string
  bounds: { min: MapPoint; max: MapPoint }
  walls: readonly (readonly MapPoint[])[]
  drawing?: MapDrawing
}

/** What is drawn on a plan besides walls. */
export interface MapDrawing {
  rooms: readonly { polygon: readonly MapPoint[]; color: string }[]
  doors: readonly (readonly MapPoint[])[]
  /** A size of 0 is that of the screen. */
  labels: readonly { at: MapPoint; text: string; sizeM: number }[]
  picture?: EditPicture
}

export interface MapZone {
  id: string
  name: string
  polygon: readonly MapPoint[]
  occupancy: number
  /** Above it the zone is too full; 0 is none. */
  capacity?: number
  /** Its own colour, drawn instead of that of its occupancy. */
  color?: string
}

export interface MapReceiver {
  id: string
  /** What hovering it says, e.g. "Receiver #5 (online)". */
  label: string
  x: number
  y: number
  rotation: number
  online: boolean
  /** Outlined as the one that is worked on. */
  selected?: boolean
}

export interface MapTag {
  id: string
  /** "person" is drawn round, everything else as a square. */
  type: string
  name: string
  /** The part of the label after the name, e.g. ", -65 dB"; may be empty. */
  signal: string
  x: number
  y: number
  accuracyM: number
  stale: boolean
}
