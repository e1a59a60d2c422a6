import L from 'leaflet'
import { toLatLng } from '../planLayer'
import type { MapPoint } from '../types'
import type { EditMarks } from './types'

/** What is being drawn, and what can be taken hold of. Drawn anew each time: it is little. */
export class MarkLayer {
  private readonly group = L.layerGroup()

  constructor(map: L.Map) {
    this.group.addTo(map)
  }

  set(marks: EditMarks): void {
    this.group.clearLayers()
    const { stroke, cursor, closes } = marks
    const line = cursor && stroke.length > 0 ? [...stroke, cursor.at] : stroke
    if (line.length > 1) this.add(L.polyline(line.map(toLatLng), { ...base('edit-stroke'), fill: false }))
    if (closes && line.length > 2) this.add(L.polyline([line.at(-1) as MapPoint, line[0] as MapPoint].map(toLatLng), { ...base('edit-stroke is-closing'), fill: false }))
    for (const p of marks.middles) this.dot(p, 'edit-middle', 4)
    for (const p of [...marks.corners, ...stroke]) this.dot(p, 'edit-corner', 5.5)
    for (const p of marks.crossings) this.dot(p, 'edit-crossing', 9)
    for (const { at, label } of marks.pins) this.dot(at, 'edit-pin', 6).bindTooltip(label, { direction: 'top' })
    if (cursor) this.dot(cursor.at, cursor.snapped ? 'edit-cursor is-snapped' : 'edit-cursor', cursor.snapped ? 7 : 4)
  }

  private dot(p: MapPoint, className: string, radius: number): L.CircleMarker {
    const dot = L.circleMarker(toLatLng(p), { ...base(className), radius, interactive: className === 'edit-pin' })
    this.add(dot)
    return dot
  }

  private add(layer: L.Layer): void {
    this.group.addLayer(layer)
  }
}

const base = (className: string) => ({ pane: 'marks', className, interactive: false, weight: 2 })
