import L from 'leaflet'
import { toLatLng } from '../planLayer'
import { heatPixels } from './heat'
import type { HeatGrid } from './types'

/** A grid of dwell as a picture over the floor, below the walls' names and the tags. */
export class HeatLayer {
  private overlay: L.SVGOverlay | undefined

  constructor(private readonly map: L.Map) {
    const pane = map.createPane('heat')
    pane.style.zIndex = '402'
    pane.style.pointerEvents = 'none'
    pane.setAttribute('aria-hidden', 'true')
  }

  set(grid: HeatGrid | undefined): void {
    this.overlay?.remove()
    this.overlay = undefined
    if (!grid || grid.columns < 1 || grid.rows < 1) return
    const canvas = document.createElement('canvas')
    canvas.width = grid.columns
    canvas.height = grid.rows
    canvas.dataset.heat = `${grid.columns}x${grid.rows}`
    canvas.getContext('2d')?.putImageData(new ImageData(heatPixels(grid), grid.columns, grid.rows), 0, 0)
    const { min, cellM } = grid
    const bounds = L.latLngBounds(toLatLng(min), toLatLng({ x: min.x + grid.columns * cellM, y: min.y + grid.rows * cellM }))
    // The overlay places and scales whatever element it is given.
    this.overlay = new L.SVGOverlay(canvas as unknown as SVGElement, bounds, { pane: 'heat', interactive: false, className: 'plan-heat' }).addTo(this.map)
  }
}
