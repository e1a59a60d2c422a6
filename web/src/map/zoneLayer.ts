import L from 'leaflet'
import { labelChord } from './geometry'
import { levelOf } from './occupancy'
import { toLatLng } from './planLayer'
import type { MapZone } from './types'

interface Drawn {
  zone: MapZone
  shape: L.Polygon
  name: HTMLElement
  count: HTMLElement
  label: L.Marker | undefined
  chordM: number
}

// Width of a letter of the label's font, on average, pixels; and its padding.
const letterPx = 7
const paddingPx = 28

/** Zones as coloured polygons with name and number of tags in them. */
export class ZoneLayer {
  private readonly group = L.layerGroup()
  private drawn = new Map<string, Drawn>()
  private shapes = ''

  constructor(private readonly map: L.Map) {
    this.group.addTo(map)
    map.on('zoomend', () => this.fitLabels())
  }

  /** Draws these zones; when only counts changed, only colours and numbers do. */
  set(zones: readonly MapZone[]): void {
    const shapes = JSON.stringify(zones.map((z) => [z.id, z.polygon]))
    if (shapes !== this.shapes) this.redraw(zones)
    this.shapes = shapes
    for (const zone of zones) this.update(zone)
    this.fitLabels()
  }

  private redraw(zones: readonly MapZone[]): void {
    this.group.clearLayers()
    this.drawn = new Map(zones.filter((z) => z.polygon.length > 2).map((z) => [z.id, this.draw(z)]))
  }

  private draw(zone: MapZone): Drawn {
    const shape = L.polygon(zone.polygon.map(toLatLng), { className: 'zone', interactive: false, weight: 1.5 })
    const html = document.createElement('div')
    const name = html.appendChild(document.createElement('span'))
    const count = html.appendChild(document.createElement('b'))
    const chord = labelChord(zone.polygon)
    const icon = L.divIcon({ className: 'zone-label', html, iconSize: [0, 0] })
    const label = chord && L.marker([chord.y, chord.left], { icon, interactive: false, keyboard: false, pane: 'zoneLabels' })
    this.group.addLayer(shape)
    if (label) this.group.addLayer(label)
    return { zone, shape, name, count, label, chordM: chord?.width ?? 0 }
  }

  private update(zone: MapZone): void {
    const drawn = this.drawn.get(zone.id)
    if (!drawn) return
    drawn.zone = zone
    drawn.name.textContent = zone.name
    drawn.count.textContent = zone.capacity ? `${zone.occupancy}/${zone.capacity}` : String(zone.occupancy)
    const isFull = zone.capacity !== undefined && zone.capacity > 0 && zone.occupancy > zone.capacity
    drawn.count.classList.toggle('is-full', isFull)
    const element = drawn.shape.getElement()
    element?.setAttribute('data-level', String(levelOf(zone.occupancy)))
    element?.setAttribute('data-zone', zone.id)
    element?.toggleAttribute('data-full', isFull)
    element?.toggleAttribute('data-own', zone.color !== undefined)
    if (element instanceof SVGElement) element.style.setProperty('--own', zone.color ?? '')
  }

  /** Hides names that are wider than their zone is on the screen. */
  private fitLabels(): void {
    const pxPerMetre = 2 ** this.map.getZoom()
    for (const { zone, label, chordM } of this.drawn.values()) {
      const fits = chordM * pxPerMetre > zone.name.length * letterPx + paddingPx
      label?.getElement()?.classList.toggle('is-hidden', !fits)
    }
  }
}
