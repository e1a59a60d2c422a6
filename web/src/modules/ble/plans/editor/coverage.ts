import type { Coverage } from '../types'
import { type Doc, ofKind } from './model'
import { contains } from './polygon'

/** Fewer receivers than this cannot tell a place. */
export const enoughHeard = 3

/**
 * How many receivers hear a tag, by cell; undefined where no tag can be: the cell's
 * middle is beyond the plan's edge or in a no-go area.
 */
export function heardOn(doc: Doc, { min_x: left, min_y: low, cell_m: cellM, columns, heard }: Coverage): (number | undefined)[] {
  const { min, max } = doc.bounds
  const noGo = ofKind(doc, 'no_go')
  return heard.map((count, i) => {
    const [x, y] = [left + ((i % columns) + 0.5) * cellM, low + (Math.floor(i / columns) + 0.5) * cellM]
    const isOn = x >= min.x && x <= max.x && y >= min.y && y <= max.y
    return isOn && !noGo.some(({ points }) => contains(points, { x, y })) ? count : undefined
  })
}

/** The share of cells where too few receivers hear a tag, from 0 to 1; undefined without cells. */
export function poorShareOf(heard: readonly (number | undefined)[]): number | undefined {
  const counts = heard.filter((count) => count !== undefined)
  return counts.length === 0 ? undefined : counts.filter((count) => count < enoughHeard).length / counts.length
}
