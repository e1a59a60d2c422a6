import L from 'leaflet'
import { DrawingLayer } from './drawingLayer'
import { boundsOf, PlanLayer, toLatLng } from './planLayer'
import { ReceiverLayer } from './receiverLayer'
import { TagLayer } from './tagLayer'
import type { MapPlan, MapPoint, MapReceiver, MapTag, MapZone } from './types'
import { ZoneLayer } from './zoneLayer'

export interface SceneOptions {
  initials: (name: string) => string
  onSelect: (id: string) => void
  /** The person dragged the map: following a tag would fight them. */
  onDrag: () => void
  onScale: (pxPerMetre: number) => void
  /** Tags stand where they are put, because somebody else moves them. */
  still?: boolean
}

// Room between the plan and the map's edge, pixels.
const marginPx = 24
// 2^7 pixels per metre: a desk fills the screen.
const maxZoom = 7

// From the bottom up; Leaflet's own pane of vectors, which has the zones, is 400.
const panes = [['floor', 380], ['picture', 385], ['rooms', 390], ['walls', 405], ['texts', 408], ['zoneLabels', 410], ['receivers', 420]] as const
// Where avatars become letters again: a chosen tag is shown at least so close.
const closeZoom = 4

/** The map and its layers. Knows nothing of Vue. */
export class Scene {
  private readonly map: L.Map
  private readonly floor: PlanLayer
  private readonly drawing: DrawingLayer
  private readonly zones: ZoneLayer
  private readonly receivers: ReceiverLayer
  private readonly tags: TagLayer
  private readonly watcher: ResizeObserver
  private plan: MapPlan | undefined
  // Until the person moves the map, the plan stays fitted whatever the window does.
  private untouched = true

  constructor(element: HTMLElement, private readonly options: SceneOptions) {
    const animate = !window.matchMedia('(prefers-reduced-motion: reduce)').matches
    this.map = L.map(element, {
      crs: L.CRS.Simple,
      attributionControl: false,
      zoomControl: false,
      maxZoom,
      minZoom: -4,
      zoomSnap: 0.25,
      zoomDelta: 0.75,
      wheelPxPerZoomLevel: 90,
      maxBoundsViscosity: 0.6,
      zoomAnimation: animate,
      fadeAnimation: animate,
    })
    this.map.setView([0, 0], 0)
    for (const [pane, zIndex] of panes) this.map.createPane(pane).style.zIndex = String(zIndex)
    this.floor = new PlanLayer(this.map)
    this.drawing = new DrawingLayer(this.map)
    this.zones = new ZoneLayer(this.map)
    this.receivers = new ReceiverLayer(this.map)
    this.tags = new TagLayer(this.map, { initials: options.initials, onSelect: options.onSelect, animate: animate && !options.still })
    this.listen()
    this.watcher = new ResizeObserver(() => this.resized())
    this.watcher.observe(element)
  }

  private listen(): void {
    this.map.on('dragstart', () => {
      this.untouched = false
      this.options.onDrag()
    })
    this.map.on('click', ({ containerPoint }) => this.options.onSelect(this.tags.at(containerPoint)))
    this.map.on('zoomend', () => this.options.onScale(2 ** this.map.getZoom()))
    for (const kind of ['wheel', 'keydown', 'dblclick'] as const) {
      this.map.getContainer().addEventListener(kind, () => (this.untouched = false), { passive: true })
    }
  }

  setPlan(plan: MapPlan): void {
    const isOther = plan.id !== this.plan?.id
    this.plan = plan
    this.floor.set(plan)
    this.drawing.set(plan.drawing)
    if (!isOther) return
    this.map.setMaxBounds(boundsOf(plan).pad(0.6))
    this.fit()
  }

  setZones(zones: readonly MapZone[]): void {
    this.zones.set(zones)
  }

  setReceivers(receivers: readonly MapReceiver[]): void {
    this.receivers.set(receivers)
  }

  setTags(tags: readonly MapTag[]): void {
    this.tags.set(tags)
  }

  select(id: string): void {
    this.tags.select(id)
  }

  showAccuracy(shown: boolean): void {
    this.tags.showAccuracy(shown)
  }

  /** Adds a layer that only some maps have. It goes with the map. */
  add<Layer>(make: (map: L.Map) => Layer): Layer {
    return make(this.map)
  }

  /** Shows the whole plan. */
  fit(): void {
    if (!this.plan) return
    this.untouched = true
    this.map.fitBounds(boundsOf(this.plan), { padding: [marginPx, marginPx], animate: false })
    this.options.onScale(2 ** this.map.getZoom())
  }

  zoomBy(steps: number): void {
    this.untouched = false
    this.map.setZoom(this.map.getZoom() + steps * 0.75)
  }

  /** Makes sure that a place is well in view, and moves no more than that needs. */
  reveal(at: MapPoint): void {
    const zoom = Math.max(this.map.getZoom(), closeZoom)
    const isInView = this.map.getBounds().pad(-0.15).contains(toLatLng(at))
    if (zoom !== this.map.getZoom() || !isInView) this.view(at, zoom)
  }

  /** Brings a place into the middle. */
  center(at: MapPoint): void {
    this.view(at, Math.max(this.map.getZoom(), closeZoom))
  }

  private view(at: MapPoint, zoom: number): void {
    this.untouched = false
    this.map.setView(toLatLng(at), zoom, { animate: true, duration: 0.6 })
  }

  remove(): void {
    this.watcher.disconnect()
    this.tags.remove()
    this.map.remove()
  }

  private resized(): void {
    this.map.invalidateSize({ animate: false })
    if (this.untouched) this.fit()
  }
}
