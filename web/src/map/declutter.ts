/** A rectangle in pixels. */
export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** A label that would like to be shown. */
export interface LabelWish {
  id: string
  /** Where it may stand, the best place first. */
  places: readonly Box[]
  /** The marker it belongs to: other labels keep off it, this one may touch it. */
  marker: Box
  /** Higher wins; equals are decided by id, so that the choice is steady. */
  priority: number
}

// Labels are about this wide: a box then lies in one to four cells.
const cellPx = 128

interface Taken extends Box {
  owner: string
}

/**
 * Chooses labels that cover neither each other nor a marker, the more
 * important first, and says by its index at which of its places each stands.
 * What reaches out of `view` is not shown. Takes time in proportion to the
 * number of wishes, as each is compared with its neighbours only.
 */
export function declutter(wishes: readonly LabelWish[], view?: Box): Map<string, number> {
  const grid = new Map<string, Taken[]>()
  const shown = new Map<string, number>()
  for (const { id, marker } of wishes) occupy(grid, marker, id)
  const ordered = [...wishes].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
  for (const { id, places } of ordered) {
    const place = places.findIndex((box) => (!view || within(box, view)) && isFree(grid, box, id))
    const box = places[place]
    if (!box) continue
    shown.set(id, place)
    occupy(grid, box, id)
  }
  return shown
}

function isFree(grid: Map<string, Taken[]>, box: Box, owner: string): boolean {
  return cellsOf(box).every((cell) => !grid.get(cell)?.some((other) => other.owner !== owner && overlap(box, other)))
}

function occupy(grid: Map<string, Taken[]>, box: Box, owner: string): void {
  for (const cell of cellsOf(box)) {
    const list = grid.get(cell)
    if (list) list.push({ ...box, owner })
    else grid.set(cell, [{ ...box, owner }])
  }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height
}

function within(box: Box, view: Box): boolean {
  return box.left >= view.left && box.left + box.width <= view.left + view.width && box.top >= view.top && box.top + box.height <= view.top + view.height
}

function cellsOf(box: Box): string[] {
  const cells: string[] = []
  for (let x = Math.floor(box.left / cellPx); x <= Math.floor((box.left + box.width) / cellPx); x++) {
    for (let y = Math.floor(box.top / cellPx); y <= Math.floor((box.top + box.height) / cellPx); y++) cells.push(`${x}:${y}`)
  }
  return cells
}
