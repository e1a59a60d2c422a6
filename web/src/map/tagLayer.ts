import L from 'leaflet'
import { declutter, type LabelWish } from './declutter'
import { isMoving } from './motion'
import { type Ring, RingLayer } from './ringLayer'
import { TagMarker } from './tagMarker'
import type { MapPoint, MapTag } from './types'

export interface TagLayerOptions {
  initials: (name: string) => string
  onSelect: (id: string) => void
  /** False where the person asked for less motion. */
  animate: boolean
}

// Below this scale avatars would cover the plan: tags shrink to dots.
const avatarPxPerMetre = 14
// Labels are chosen again this often while tags move, milliseconds: more often
// and they flicker.
const declutterMs = 400
// Circles follow their tags this often: at walking pace a step of two pixels.
const ringMs = 60

/**
 * All tags of the plan. The elements live outside Vue; positions are written
 * once per animation frame, and only of those that move.
 */
export class TagLayer {
  private readonly markers = new Map<string, TagMarker>()
  private readonly pane: HTMLElement
  private readonly rings: RingLayer
  private frame = 0
  private drawnAt = 0
  private zooming = false
  private labelledAt = 0
  private selected = ''
  private showsAccuracy = true

  constructor(private readonly map: L.Map, private readonly options: TagLayerOptions) {
    this.rings = new RingLayer(map)
    this.pane = map.createPane('tags')
    // The list beside the map is the same for those who cannot see or point.
    this.pane.setAttribute('aria-hidden', 'true')
    this.pane.addEventListener('click', (event) => {
      const id = (event.target as HTMLElement).closest<HTMLElement>('[data-tag]')?.dataset.tag
      if (id) options.onSelect(id)
    })
    L.DomEvent.disableClickPropagation(this.pane)
    map.on('zoomanim', this.animateZoom, this)
    map.on('zoomend viewreset', this.rebase, this)
    map.on('moveend', this.refresh, this)
  }

  set(tags: readonly MapTag[]): void {
    const now = performance.now()
    const seen = new Set<string>()
    for (const tag of tags) {
      seen.add(tag.id)
      const marker = this.markers.get(tag.id) ?? this.add(tag)
      marker.update(tag, now, this.options.initials, this.options.animate)
    }
    for (const [id, marker] of this.markers) {
      if (seen.has(id)) continue
      marker.element.remove()
      this.markers.delete(id)
    }
    this.rings.refreshColours()
    this.schedule()
  }

  select(id: string): void {
    this.markers.get(this.selected)?.element.classList.remove('is-selected')
    this.markers.get(id)?.element.classList.add('is-selected')
    this.selected = id
    this.refresh()
  }

  showAccuracy(shown: boolean): void {
    this.showsAccuracy = shown
    this.refresh()
  }

  remove(): void {
    cancelAnimationFrame(this.frame)
    this.map.off('zoomanim', this.animateZoom, this)
    this.map.off('zoomend viewreset', this.rebase, this)
    this.map.off('moveend', this.refresh, this)
  }

  private add(tag: MapTag): TagMarker {
    const marker = new TagMarker(tag, this.options.initials)
    this.markers.set(tag.id, marker)
    this.pane.appendChild(marker.element)
    marker.element.classList.toggle('is-selected', tag.id === this.selected)
    return marker
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint(performance.now()))
  }

  private paint(now: number): void {
    this.frame = 0
    if (this.zooming) return
    const isMoved = this.place(now)
    if (now - this.labelledAt >= declutterMs) this.chooseLabels(now)
    // What stands still is drawn once more, at its end.
    if (now - this.drawnAt >= ringMs || !isMoved) this.drawRings(now)
    if (isMoved) this.schedule()
  }

  /** Writes where everything is; says whether something is still on its way. */
  private place(now: number): boolean {
    const scale = 2 ** this.map.getZoom()
    const origin = this.map.getPixelOrigin()
    let moving = false
    for (const marker of this.markers.values()) {
      if (marker.isPlaced) continue
      marker.moveTo(toPixels(marker.position(now), scale, origin))
      marker.isPlaced = !isMoving(marker.motion, now)
      moving ||= !marker.isPlaced
    }
    return moving
  }

  private drawRings(now: number): void {
    this.drawnAt = now
    const rings: Ring[] = []
    for (const [id, marker] of this.markers) {
      const isSelected = id === this.selected
      if (!isSelected && !this.showsAccuracy) continue
      rings.push({ at: marker.position(now), radiusM: marker.tag.accuracyM, look: isSelected ? 'selected' : lookOf(marker.tag) })
    }
    this.rings.draw(rings)
  }

  private chooseLabels(now: number): void {
    this.labelledAt = now
    const scale = 2 ** this.map.getZoom()
    const origin = this.map.getPixelOrigin()
    const isFar = scale < avatarPxPerMetre
    this.map.getContainer().classList.toggle('is-far', isFar)
    const corner = this.map.containerPointToLayerPoint([0, 0])
    const size = this.map.getSize()
    const wishes: LabelWish[] = []
    for (const [id, marker] of this.markers) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      wishes.push(marker.labelWish(x, y, isFar ? 'dot' : 'avatar', this.priority(id, marker)))
    }
    const shown = declutter(wishes, { left: corner.x, top: corner.y, width: size.x, height: size.y })
    for (const [id, marker] of this.markers) marker.showLabel(shown.get(id))
  }

  /** The chosen tag always, then what is shown already, then what is news. */
  private priority(id: string, marker: TagMarker): number {
    if (id === this.selected) return 3
    return (marker.isLabelled ? 1 : 0) + (marker.tag.stale ? 0 : 0.5)
  }

  /** Leaflet moves everything by one CSS transition: tell where each will be. */
  private animateZoom(event: L.LeafletEvent): void {
    const { zoom, center } = event as L.ZoomAnimEvent
    this.zooming = true
    const half = this.map.getSize().divideBy(2)
    const paneAt = L.DomUtil.getPosition(this.map.getPane('mapPane') as HTMLElement)
    const origin = this.map.project(center, zoom).subtract(half).add(paneAt).round()
    const now = performance.now()
    for (const marker of this.markers.values()) marker.moveTo(toPixels(marker.position(now), 2 ** zoom, origin))
  }

  /** The pane has a new origin: everything has another place in it. */
  private rebase(): void {
    this.zooming = false
    for (const marker of this.markers.values()) marker.isPlaced = false
    this.refresh()
  }

  private refresh(): void {
    this.labelledAt = this.drawnAt = 0
    this.schedule()
  }
}

function lookOf({ type, stale }: MapTag): Ring['look'] {
  if (stale) return 'stale'
  return type === 'person' || type === 'vehicle' ? type : 'asset'
}

/** CRS.Simple by hand: this runs for every tag in every frame. */
function toPixels(at: MapPoint, scale: number, origin: L.Point): MapPoint {
  return { x: at.x * scale - origin.x, y: -at.y * scale - origin.y }
}
