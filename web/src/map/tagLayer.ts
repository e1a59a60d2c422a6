import L from 'leaflet'
import { CrowdLayer, type Dot } from './crowdLayer'
import { type Box, declutter, type LabelWish } from './declutter'
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
// From so many tags on, those without a label are drawn on a canvas: as elements they
// would cost more than a frame has. Fewer than the second number go back.
const crowd = { from: 400, until: 300 }
// Labels of a crowd are chosen among so many of those in view.
const mostWishes = 300
// Avatars of a crowd that would cover more than this share of the map are dots.
const mostCovered = 0.25
const avatarAreaPx = 30 * 30
// How near a press must be to a tag of a crowd, pixels.
const reachPx = 14

/**
 * All tags of the plan. The elements live outside Vue; positions are written
 * once per animation frame, and only of those that move. In a crowd, only tags with
 * a label are elements.
 */
export class TagLayer {
  private readonly markers = new Map<string, TagMarker>()
  private readonly pane: HTMLElement
  private readonly rings: RingLayer
  private readonly dots: CrowdLayer
  private isCrowd = false
  private isFar = false
  private hovered = ''
  private frame = 0
  private drawnAt = 0
  private zooming = false
  private labelledAt = 0
  private selected = ''
  private showsAccuracy = true

  constructor(private readonly map: L.Map, private readonly options: TagLayerOptions) {
    this.rings = new RingLayer(map)
    this.dots = new CrowdLayer(map, () => this.schedule())
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
    map.on('mousemove', this.hover, this)
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
      marker.detach()
      this.markers.delete(id)
    }
    this.countCrowd()
    this.rings.refreshColours()
    this.dots.refreshColours()
    this.schedule()
  }

  select(id: string): void {
    this.markers.get(this.selected)?.element.classList.remove('is-selected')
    this.markers.get(id)?.element.classList.add('is-selected')
    this.selected = id
    this.attachSome()
    this.refresh()
  }

  /** The tag of a crowd at a place in the map's window; elements tell by themselves. */
  at(place: L.Point): string {
    if (!this.isCrowd) return ''
    const now = performance.now()
    const scale = 2 ** this.map.getZoom()
    const origin = this.map.getPixelOrigin()
    const { x, y } = this.map.containerPointToLayerPoint(place)
    let nearest = { id: '', far: reachPx }
    for (const [id, marker] of this.markers) {
      const pixels = toPixels(marker.position(now), scale, origin)
      const far = Math.hypot(pixels.x - x, pixels.y - y)
      if (far < nearest.far) nearest = { id, far }
    }
    return nearest.id
  }

  showAccuracy(shown: boolean): void {
    this.showsAccuracy = shown
    this.refresh()
  }

  remove(): void {
    cancelAnimationFrame(this.frame)
    this.dots.remove()
    this.map.off('zoomanim', this.animateZoom, this)
    this.map.off('zoomend viewreset', this.rebase, this)
    this.map.off('moveend', this.refresh, this)
    this.map.off('mousemove', this.hover, this)
  }

  private add(tag: MapTag): TagMarker {
    const marker = new TagMarker(tag, this.options.initials)
    this.markers.set(tag.id, marker)
    if (!this.isCrowd) marker.attach(this.pane)
    marker.element.classList.toggle('is-selected', tag.id === this.selected)
    return marker
  }

  private countCrowd(): void {
    const { size } = this.markers
    const isCrowd = size >= crowd.from || (this.isCrowd && size > crowd.until)
    if (isCrowd === this.isCrowd) return
    this.isCrowd = isCrowd
    if (!isCrowd) this.dots.clear()
    this.attachSome()
  }

  /** Brings onto the map as elements what has to be there as such. */
  private attachSome(): void {
    for (const [id, marker] of this.markers) {
      if (!this.isCrowd || marker.isLabelled || id === this.selected || id === this.hovered) marker.attach(this.pane)
      else if (marker.isAttached) marker.detach()
    }
  }

  /** What the pointer is over becomes an element, which shows its label. */
  private hover({ containerPoint }: L.LeafletMouseEvent): void {
    const id = this.at(containerPoint)
    if (id === this.hovered) return
    this.hovered = id
    this.attachSome()
    this.schedule()
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint(performance.now()))
  }

  private paint(now: number): void {
    this.frame = 0
    if (this.zooming) return
    const isMoved = this.place(now)
    if (now - this.labelledAt >= declutterMs) this.chooseLabels(now)
    if (this.isCrowd) this.dots.draw(this.crowd(now), this.isFar ? 'dot' : 'avatar')
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
      if (marker.isAttached) marker.moveTo(toPixels(marker.position(now), scale, origin))
      marker.isPlaced = !isMoving(marker.motion, now)
      moving ||= !marker.isPlaced
    }
    return moving
  }

  private* crowd(now: number): Generator<Dot> {
    for (const marker of this.markers.values()) {
      if (marker.isAttached) continue
      const { tag, initials } = marker
      yield { at: marker.position(now), look: lookOf(tag), round: tag.type === 'person', initials }
    }
  }

  private drawRings(now: number): void {
    this.drawnAt = now
    const rings: Ring[] = []
    // A crowd's circles would cover each other: only of those that are looked at.
    const all = this.showsAccuracy && !this.isCrowd
    for (const [id, marker] of this.markers) {
      const isSelected = id === this.selected
      if (!isSelected && !all && !(this.showsAccuracy && marker.isLabelled)) continue
      rings.push({ at: marker.position(now), radiusM: marker.tag.accuracyM, look: isSelected ? 'selected' : lookOf(marker.tag) })
    }
    this.rings.draw(rings)
  }

  private chooseLabels(now: number): void {
    this.labelledAt = now
    const scale = 2 ** this.map.getZoom()
    const corner = this.map.containerPointToLayerPoint([0, 0])
    const size = this.map.getSize()
    const view = { left: corner.x, top: corner.y, width: size.x, height: size.y }
    this.isFar = scale < avatarPxPerMetre || (this.isCrowd && this.isDense(now, scale, view))
    this.map.getContainer().classList.toggle('is-far', this.isFar)
    const shown = declutter(this.wishes(now, scale, view), view)
    for (const [id, marker] of this.markers) marker.showLabel(shown.get(id))
    if (this.isCrowd) this.attachSome()
  }

  private isDense(now: number, scale: number, view: Box): boolean {
    const origin = this.map.getPixelOrigin()
    let inView = 0
    for (const marker of this.markers.values()) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      if (isIn(view, x, y)) inView++
    }
    return inView * avatarAreaPx > mostCovered * view.width * view.height
  }

  private wishes(now: number, scale: number, view: Box): LabelWish[] {
    const origin = this.map.getPixelOrigin()
    const wishes: LabelWish[] = []
    for (const [id, marker] of this.markers) {
      const { x, y } = toPixels(marker.position(now), scale, origin)
      // From afar the labels of a crowd would say nothing but that it is one.
      if (this.isCrowd && id !== this.selected && (this.isFar || !isIn(view, x, y))) continue
      wishes.push(marker.labelWish(x, y, this.isFar ? 'dot' : 'avatar', this.priority(id, marker)))
    }
    if (wishes.length <= mostWishes || !this.isCrowd) return wishes
    return wishes.sort((a, b) => b.priority - a.priority).slice(0, mostWishes)
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

function isIn(view: Box, x: number, y: number): boolean {
  return x >= view.left && y >= view.top && x <= view.left + view.width && y <= view.top + view.height
}

function lookOf({ type, stale }: MapTag): Dot['look'] {
  if (stale) return 'stale'
  return type === 'person' || type === 'vehicle' ? type : 'asset'
}

/** CRS.Simple by hand: this runs for every tag in every frame. */
function toPixels(at: MapPoint, scale: number, origin: L.Point): MapPoint {
  return { x: at.x * scale - origin.x, y: -at.y * scale - origin.y }
}
