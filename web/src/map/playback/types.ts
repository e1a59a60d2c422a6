import type { MapPoint } from '../types'

/** The way a tag came: pieces of flat x, y pairs in metres, oldest point first. */
export interface Trail {
  pieces: readonly (readonly number[])[]
  type: string
  isSelected: boolean
}

/** Values of a grid over the plan, row by row from its lower left corner. */
export interface HeatGrid {
  min: MapPoint
  cellM: number
  columns: number
  rows: number
  values: readonly number[]
  /** The value that has the strongest colour. */
  most: number
}
