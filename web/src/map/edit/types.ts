import type { MapPoint } from '../types'

/** How a line or an area is drawn; map/edit/edit.css has the look of each. */
export type ShapeLook = 'room' | 'no-go' | 'zone' | 'wall' | 'door'

export interface EditShape {
  id: string
  look: ShapeLook
  points: readonly MapPoint[]
  /** Of rooms and zones. */
  color?: string
  selected: boolean
}

/** A text on the plan, with its middle at a point; a size of 0 is that of the screen. */
export interface EditText {
  id: string
  at: MapPoint
  text: string
  sizeM: number
  selected: boolean
}

export interface EditPicture {
  url: string
  widthPx: number
  heightPx: number
  metresPerPx: number
  /** The lower left corner, around which it is turned. */
  at: MapPoint
  /** Degrees clockwise. */
  rotation: number
  opacity: number
}

/** What is being drawn or aimed at, above everything else. */
export interface EditMarks {
  stroke: readonly MapPoint[]
  /** Whether the stroke will go around. */
  closes: boolean
  /** Where the pointer was drawn to. */
  cursor?: { at: MapPoint; snapped: boolean }
  /** Corners to take hold of, and places where a new one can be pulled out. */
  corners: readonly MapPoint[]
  middles: readonly MapPoint[]
  /** Where a border crosses itself. */
  crossings: readonly MapPoint[]
  /** Known points, such as where somebody stood. */
  pins: readonly { at: MapPoint; label: string }[]
}

/** Squares of one size, row by row from the lowest; null is not painted. */
export interface EditCells {
  min: MapPoint
  cellM: number
  columns: number
  rows: number
  /** RGBA. */
  paint: (index: number) => readonly [number, number, number, number] | undefined
}

export interface EditPointer {
  at: MapPoint
  pxPerMetre: number
  alt: boolean
  shift: boolean
  /** Mice reach finer than fingers. */
  touch: boolean
}
