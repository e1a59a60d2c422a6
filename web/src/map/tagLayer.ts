import L from 'leaflet'
import { declutter, type LabelWish } from './declutter'
import { isMoving } from './motion'
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

/**
 * All tags of the plan. The elements live outside Vue; positions are written
 * once per animation frame and only while something moves.
 */
export class TagLayer {
  private readonly markers = new Map<string, TagMarker>()
  private readonly pane: HTMLElement
  private frame = 0
  private zooming = false
  private declutteredAt = 0
  private selected = ''

  constructor(private readonly map: L.Map, private readonly options: TagLayerOptions) {
    this.pane = map.createPane('tags')
    // The list beside the map is the same for those who cannot see or point.
    this.pane.setAttribute('aria-hidden', 'true')
    this.pane.addEventListener('click', (event) => {
      const id = (event.target as HTMLElement).closest<HTMLElement>('[data-tag]')?.dataset.tag
      if (id) options.onSelect(id)
    })
    L.DomEvent.disableClickPropagation(this.pane)
    map.on('zoomanim', this.animateZoom, this)
    map.on('zoomend viewreset', this.zoomed, this)
    map.on('moveend', this.moved, this)
  }

  set(tags: readonly MapTag[]): void {
    const now = performance.now()
    const seen = new Set<string>()
    for (const tag of tags) {
      seen.add(tag.id)
      const marker = this.markers.get(tag.id)
      if (marker) marker.update(tag, now, this.options.initials, this.options.animate)
      else this.add(tag)
    }
    for (const [id, marker] of this.markers) {
      if (seen.has(id)) continue
      marker.element.remove()
      this.markers.delete(id)
    }
    this.select(this.selected)
    this.schedule()
  }

  select(id: string): void {
    this.selected = id
    for (const [tag, marker] of this.markers) marker.element.classList.toggle('is-selected', tag === id)
    this.declutteredAt = 0
    this.schedule()
  }

  remove(): void {
    cancelAnimationFrame(this.frame)
    this.map.off('zoomanim', this.animateZoom, this)
    this.map.off('zoomend viewreset', this.zoomed, this)
    this.map.off('moveend', this.moved, this)
  }

  private add(tag: MapTag): void {
    const marker = new TagMarker(tag, this.options.initials)
    this.markers.set(tag.id, marker)
    this.pane.appendChild(marker.element)
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint(performance.now()))
  }

  private paint(now: number): void {
    this.frame = 0
    if (this.zooming) return
    const scale = 2 ** this.map.getZoom()
    const origin = this.map.getPixelOrigin()
    this.map.getContainer().classList.toggle('is-far', scale < avatarPxPerMetre)
    let moving = false
    for (const marker of this.markers.values()) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      marker.moveTo(x, y)
      marker.sizeRing(scale)
      moving ||= isMoving(marker.motion, now)
    }
    if (now - this.declutteredAt > declutterMs) this.chooseLabels(now, scale, origin)
    if (moving) this.schedule()
  }

  private chooseLabels(now: number, scale: number, origin: L.Point): void {
    this.declutteredAt = now
    const bounds = this.map.getPixelBounds()
    const size = this.map.getSize()
    const min = (bounds.min as L.Point).subtract(origin)
    const form = scale < avatarPxPerMetre ? 'dot' : 'avatar'
    const wishes: LabelWish[] = []
    for (const [id, marker] of this.markers) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      wishes.push(marker.labelWish(x, y, form, this.priority(id, marker)))
    }
    const shown = declutter(wishes, { left: min.x, top: min.y, width: size.x, height: size.y })
    for (const [id, marker] of this.markers) marker.showLabel(shown.get(id))
  }

  /** The chosen tag always, then what is shown already, then what is news. */
  private priority(id: string, marker: TagMarker): number {
    if (id === this.selected) return 3
    return (marker.labelShown ? 1 : 0) + (marker.tag.stale ? 0 : 0.5)
  }

  /** Leaflet moves everything by one CSS transition: tell where each will be. */
  private animateZoom(event: L.LeafletEvent): void {
    const { zoom, center } = event as L.ZoomAnimEvent
    this.zooming = true
    const scale = 2 ** zoom
    const half = this.map.getSize().divideBy(2)
    const paneAt = L.DomUtil.getPosition(this.map.getPane('mapPane') as HTMLElement)
    const origin = this.map.project(center, zoom).subtract(half).add(paneAt).round()
    const now = performance.now()
    for (const marker of this.markers.values()) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      marker.moveTo(x, y)
      marker.sizeRing(scale)
    }
  }

  private zoomed(): void {
    this.zooming = false
    this.moved()
  }

  private moved(): void {
    this.declutteredAt = 0
    this.schedule()
  }
}

/** CRS.Simple by hand: this runs for every tag in every frame. */
function toPixels(at: MapPoint, scale: number, origin: L.Point): MapPoint {
  return { x: at.x * scale - origin.x, y: -at.y * scale - origin.y }
}
