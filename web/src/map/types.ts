// What the map draws. Lengths are metres, x to the right and y up; angles are
// degrees clockwise.

export interface MapPoint {
  x: number
  y: number
}

export interface MapPlan {
  id: string
  bounds: { min: MapPoint; max: MapPoint }
  walls: readonly (readonly MapPoint[])[]
}

export interface MapZone {
  id: string
  name: string
  polygon: readonly MapPoint[]
  occupancy: number
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
