import L from 'leaflet'
import type { EditCells } from './types'

/** Squares over the plan, as one picture of a pixel each. */
export class CellLayer {
  private overlay: L.ImageOverlay | undefined

  constructor(private readonly map: L.Map) {}

  set(cells: EditCells | undefined): void {
    this.overlay?.remove()
    this.overlay = undefined
    if (!cells || cells.columns * cells.rows === 0) return
    const { min, cellM, columns, rows } = cells
    const bounds = L.latLngBounds([min.y, min.x], [min.y + rows * cellM, min.x + columns * cellM])
    this.overlay = L.imageOverlay(pictureOf(cells), bounds, { pane: 'cells', className: 'edit-cells', interactive: false }).addTo(this.map)
  }
}

function pictureOf({ columns, rows, paint }: EditCells): string {
  const canvas = document.createElement('canvas')
  canvas.width = columns
  canvas.height = rows
  const context = canvas.getContext('2d')
  if (!context) return ''
  const pixels = context.createImageData(columns, rows)
  for (let i = 0; i < columns * rows; i++) {
    // Rows of the plan go up, those of a picture down.
    const target = (rows - 1 - Math.floor(i / columns)) * columns + (i % columns)
    const color = paint(i)
    if (color) pixels.data.set(color, target * 4)
  }
  context.putImageData(pixels, 0, 0)
  return canvas.toDataURL()
}
