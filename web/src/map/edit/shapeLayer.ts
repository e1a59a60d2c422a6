import type { LineString, MultiLineString, MultiPolygon, Polygon } from 'geojson'
import L from 'leaflet'
import { toLatLng } from '../planLayer'
import type { EditShape, ShapeLook } from './types'

// A usual inner wall; thinner than two pixels it would vanish.
const wallM = 0.15
const thinnestPx = 2
const closed: readonly ShapeLook[] = ['room', 'no-go', 'zone']
const paneOf: Record<ShapeLook, string> = { room: 'rooms', 'no-go': 'rooms', zone: 'overlayPane', wall: 'walls', door: 'walls' }

type Line = L.Polyline<LineString | MultiLineString | Polygon | MultiPolygon>

interface Drawn {
  shape: EditShape
  line: Line
}

/** Lines and areas. Only what is another object than before is drawn anew. */
export class ShapeLayer {
  private drawn = new Map<string, Drawn>()

  constructor(private readonly map: L.Map) {
    map.on('zoomend', () => this.fit())
  }

  set(shapes: readonly EditShape[]): void {
    const old = this.drawn
    this.drawn = new Map()
    for (const shape of shapes) {
      const known = old.get(shape.id)
      old.delete(shape.id)
      this.drawn.set(shape.id, known ? this.update(known, shape) : this.draw(shape))
    }
    for (const { line } of old.values()) line.remove()
  }

  private update(known: Drawn, shape: EditShape): Drawn {
    if (known.shape.points !== shape.points) known.line.setLatLngs(shape.points.map(toLatLng))
    known.shape = shape
    this.style(known)
    return known
  }

  private draw(shape: EditShape): Drawn {
    const options = { pane: paneOf[shape.look], className: `edit-${shape.look}`, interactive: false, lineCap: 'square', lineJoin: 'miter' } as const
    const points = shape.points.map(toLatLng)
    const line: Line = closed.includes(shape.look) ? new L.Polygon(points, options) : new L.Polyline(points, { ...options, fill: false })
    line.addTo(this.map)
    const drawn: Drawn = { shape, line }
    this.style(drawn)
    line.getElement()?.setAttribute('data-shape', shape.id)
    return drawn
  }

  private style({ shape, line }: Drawn): void {
    const element = line.getElement() as SVGElement | undefined
    element?.classList.toggle('is-selected', shape.selected)
    if (shape.color) element?.style.setProperty('--shape', shape.color)
    line.setStyle({ weight: this.weight(shape.look) })
  }

  private weight(look: ShapeLook): number {
    const wallPx = Math.max(thinnestPx, wallM * 2 ** this.map.getZoom())
    if (look === 'wall') return wallPx
    return look === 'door' ? wallPx + 2 : 1.5
  }

  private fit(): void {
    for (const { shape, line } of this.drawn.values()) line.setStyle({ weight: this.weight(shape.look) })
  }
}
