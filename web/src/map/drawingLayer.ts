import L from 'leaflet'
import { PictureLayer } from './edit/pictureLayer'
import { TextLayer } from './edit/textLayer'
import { toLatLng } from './planLayer'
import type { MapDrawing } from './types'

// A usual door leaf is as thick as its wall looks.
const doorM = 0.2
const thinnestPx = 3

/** What people drew on the plan besides walls, and the picture below it. */
export class DrawingLayer {
  private readonly group = L.layerGroup()
  private readonly texts: TextLayer
  private readonly picture: PictureLayer
  private doors: L.Polyline[] = []
  private drawnAs = ''

  constructor(private readonly map: L.Map) {
    this.group.addTo(map)
    this.texts = new TextLayer(map)
    this.picture = new PictureLayer(map)
    map.on('zoomend', () => this.fitDoors())
  }

  set(drawing: MapDrawing | undefined): void {
    const drawnAs = JSON.stringify(drawing)
    if (drawnAs === this.drawnAs) return
    this.drawnAs = drawnAs
    this.group.clearLayers()
    const { rooms = [], doors = [], labels = [], picture } = drawing ?? {}
    for (const { polygon, color } of rooms) this.group.addLayer(this.room(polygon.map(toLatLng), color))
    this.doors = doors.map((door) => L.polyline(door.map(toLatLng), { pane: 'walls', interactive: false, className: 'plan-door', lineCap: 'butt' }))
    for (const door of this.doors) this.group.addLayer(door)
    this.texts.set(labels.map(({ at, text, sizeM }, index) => ({ id: `${index}`, at, text, sizeM, selected: false })))
    this.picture.set(picture)
    this.fitDoors()
  }

  private room(polygon: L.LatLngTuple[], color: string): L.Polygon {
    const room = L.polygon(polygon, { pane: 'rooms', interactive: false, className: 'plan-room', weight: 1 })
    room.on('add', () => (room.getElement() as SVGElement | undefined)?.style.setProperty('--room', color))
    return room
  }

  private fitDoors(): void {
    const weight = Math.max(thinnestPx, doorM * 2 ** this.map.getZoom())
    for (const door of this.doors) door.setStyle({ weight })
  }
}
