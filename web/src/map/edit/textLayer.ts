import L from 'leaflet'
import { toLatLng } from '../planLayer'
import type { EditText } from './types'

// Smaller than this nobody reads it; larger it covers what it is about.
const smallestPx = 7
const screenPx = 12

interface Drawn {
  text: EditText
  marker: L.Marker
  label: HTMLElement
}

/** Texts that grow with the plan. */
export class TextLayer {
  private drawn = new Map<string, Drawn>()

  constructor(private readonly map: L.Map) {
    map.on('zoomend', () => this.fit())
  }

  set(texts: readonly EditText[]): void {
    const old = this.drawn
    this.drawn = new Map()
    for (const text of texts) {
      const known = old.get(text.id) ?? this.draw(text)
      old.delete(text.id)
      this.write(known, text)
      this.drawn.set(text.id, known)
    }
    for (const { marker } of old.values()) marker.remove()
    this.fit()
  }

  private draw(text: EditText): Drawn {
    const html = document.createElement('div')
    const label = html.appendChild(document.createElement('span'))
    const icon = L.divIcon({ className: 'edit-text', html, iconSize: [0, 0] })
    const marker = L.marker(toLatLng(text.at), { icon, interactive: false, keyboard: false, pane: 'texts' }).addTo(this.map)
    return { text, marker, label }
  }

  private write(drawn: Drawn, text: EditText): void {
    if (text.at !== drawn.text.at) drawn.marker.setLatLng(toLatLng(text.at))
    if (drawn.label.textContent !== text.text) drawn.label.textContent = text.text
    drawn.label.classList.toggle('is-selected', text.selected)
    drawn.text = text
  }

  private fit(): void {
    const pxPerMetre = 2 ** this.map.getZoom()
    for (const { text, label } of this.drawn.values()) {
      const px = text.sizeM > 0 ? text.sizeM * pxPerMetre : screenPx
      label.style.fontSize = `${px.toFixed(1)}px`
      label.classList.toggle('is-hidden', px < smallestPx && !text.selected)
    }
  }
}
