import L from 'leaflet'
import { toLatLng } from './planLayer'
import type { MapReceiver } from './types'

// A beacon with concentric circles that opens to where the receiver looks.
const drawing = `<svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
<circle class="receiver-ground" cx="16" cy="16" r="15"/>
<path class="receiver-ring" d="M7.2 9.5a11 11 0 0 1 17.6 0" stroke-width="2" opacity=".55"/>
<path class="receiver-ring" d="M10.4 12.2a7 7 0 0 1 11.2 0" stroke-width="2.25" opacity=".8"/>
<circle class="receiver-core" cx="16" cy="17" r="4"/>
<path class="receiver-ring" d="M16 21v4" stroke-width="2.25"/></svg>`

/** Receivers as icons that turn with them and say who they are when hovered or focused. */
export class ReceiverLayer {
  private readonly group = L.layerGroup()
  private markers = new Map<string, { marker: L.Marker; drawnAs: string }>()

  constructor(map: L.Map) {
    this.group.addTo(map)
  }

  set(receivers: readonly MapReceiver[]): void {
    const old = this.markers
    this.markers = new Map()
    for (const receiver of receivers) {
      const drawnAs = JSON.stringify(receiver)
      const known = old.get(receiver.id)
      old.delete(receiver.id)
      if (known?.drawnAs === drawnAs) {
        this.markers.set(receiver.id, known)
        continue
      }
      known?.marker.remove()
      this.markers.set(receiver.id, { marker: this.draw(receiver), drawnAs })
    }
    for (const { marker } of old.values()) marker.remove()
  }

  private draw(receiver: MapReceiver): L.Marker {
    const html = document.createElement('div')
    html.className = 'receiver-turn'
    html.style.transform = `rotate(${receiver.rotation}deg)`
    html.innerHTML = drawing
    const icon = L.divIcon({ className: receiver.online ? 'receiver' : 'receiver is-offline', html, iconSize: [32, 32] })
    const marker = L.marker(toLatLng(receiver), { icon, alt: receiver.label, keyboard: true, pane: 'receivers' })
    marker.bindTooltip(receiver.label, { direction: 'top', offset: [0, -16] })
    marker.addTo(this.group)
    const element = marker.getElement()
    element?.setAttribute('aria-label', receiver.label)
    element?.setAttribute('data-receiver', receiver.id)
    if (receiver.selected) element?.classList.add('is-chosen')
    return marker
  }
}
