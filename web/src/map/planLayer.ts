import L from 'leaflet'
import type { MapPlan, MapPoint } from './types'

export const toLatLng = (p: MapPoint): L.LatLngTuple => [p.y, p.x]

export function boundsOf(plan: MapPlan): L.LatLngBounds {
  return L.latLngBounds(toLatLng(plan.bounds.min), toLatLng(plan.bounds.max))
}

// A usual inner wall; thinner than two pixels it would vanish.
const wallM = 0.15
const thinnestPx = 2

/** The floor and its walls. Colours come from map.css, so they follow the theme. */
export class PlanLayer {
  private readonly group = L.layerGroup()
  private walls: L.Polyline[] = []
  private drawnAs = ''

  constructor(private readonly map: L.Map) {
    this.group.addTo(map)
    map.on('zoomend', () => this.fitWalls())
  }

  set(plan: MapPlan): void {
    const drawnAs = JSON.stringify([plan.bounds, plan.walls])
    if (drawnAs === this.drawnAs) return
    this.drawnAs = drawnAs
    this.group.clearLayers()
    this.group.addLayer(L.rectangle(boundsOf(plan), { pane: 'floor', interactive: false, className: 'plan-floor' }))
    this.walls = plan.walls
      .filter((wall) => wall.length > 1)
      .map((wall) => L.polyline(wall.map(toLatLng), { pane: 'walls', interactive: false, className: 'plan-wall', lineCap: 'square' }))
    for (const wall of this.walls) this.group.addLayer(wall)
    this.fitWalls()
  }

  private fitWalls(): void {
    const weight = Math.max(thinnestPx, wallM * 2 ** this.map.getZoom())
    for (const wall of this.walls) wall.setStyle({ weight })
  }
}
