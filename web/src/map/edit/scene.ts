import L from 'leaflet'
import { toLatLng } from '../planLayer'
import { ReceiverLayer } from '../receiverLayer'
import type { MapPoint, MapReceiver } from '../types'
import { CellLayer } from './cellLayer'
import { MarkLayer } from './markLayer'
import { PictureLayer } from './pictureLayer'
import { watchPointer, type PointerHandlers } from './pointer'
import { ShapeLayer } from './shapeLayer'
import { TextLayer } from './textLayer'
import type { EditCells, EditMarks, EditPicture, EditShape, EditText } from './types'

export interface EditSceneOptions extends PointerHandlers {
  onScale: (pxPerMetre: number) => void
}

interface Bounds {
  min: MapPoint
  max: MapPoint
}

const marginPx = 32
// From the bottom up; Leaflet's own pane of vectors, which has the zones, is 400.
const panes = [['floor', 380], ['picture', 385], ['rooms', 390], ['cells', 395], ['walls', 405], ['texts', 410], ['receivers', 420], ['marks', 450]] as const

/** The plan as it is edited. Draws what it is given and tells of the pointer; knows nothing of Vue. */
export class EditScene {
  private readonly map: L.Map
  private readonly shapes: ShapeLayer
  private readonly texts: TextLayer
  private readonly picture: PictureLayer
  private readonly cells: CellLayer
  private readonly marks: MarkLayer
  private readonly receivers: ReceiverLayer
  private readonly watcher: ResizeObserver
  private readonly unwatch: () => void
  private floor: L.Rectangle | undefined
  private bounds: L.LatLngBounds | undefined
  private untouched = true

  constructor(element: HTMLElement, private readonly options: EditSceneOptions) {
    const animate = !window.matchMedia('(prefers-reduced-motion: reduce)').matches
    this.map = L.map(element, {
      crs: L.CRS.Simple, attributionControl: false, zoomControl: false, keyboard: false, boxZoom: false, doubleClickZoom: false,
      maxZoom: 8, minZoom: -4, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90, zoomAnimation: animate, fadeAnimation: false,
    })
    this.map.setView([0, 0], 0)
    for (const [pane, zIndex] of panes) this.map.createPane(pane).style.zIndex = String(zIndex)
    this.picture = new PictureLayer(this.map)
    this.cells = new CellLayer(this.map)
    this.shapes = new ShapeLayer(this.map)
    this.texts = new TextLayer(this.map)
    this.receivers = new ReceiverLayer(this.map)
    this.marks = new MarkLayer(this.map)
    this.unwatch = watchPointer(this.map, options)
    this.map.on('dragstart', () => (this.untouched = false))
    this.map.on('zoomend', () => this.options.onScale(2 ** this.map.getZoom()))
    element.addEventListener('wheel', () => (this.untouched = false), { passive: true })
    this.watcher = new ResizeObserver(() => this.resized())
    this.watcher.observe(element)
  }

  setBounds({ min, max }: Bounds): void {
    const bounds = L.latLngBounds(toLatLng(min), toLatLng(max))
    if (this.bounds?.equals(bounds)) return
    this.bounds = bounds
    this.floor?.remove()
    this.floor = L.rectangle(bounds, { pane: 'floor', interactive: false, className: 'plan-floor' }).addTo(this.map)
    this.map.setMaxBounds(bounds.pad(1))
    this.fit()
  }

  setShapes = (shapes: readonly EditShape[]): void => this.shapes.set(shapes)
  setTexts = (texts: readonly EditText[]): void => this.texts.set(texts)
  setPicture = (picture: EditPicture | undefined): void => this.picture.set(picture)
  setCells = (cells: EditCells | undefined): void => this.cells.set(cells)
  setMarks = (marks: EditMarks): void => this.marks.set(marks)
  setReceivers = (receivers: readonly MapReceiver[]): void => this.receivers.set(receivers)

  /** Shows the whole plan. */
  fit(): void {
    if (!this.bounds) return
    this.untouched = true
    this.map.fitBounds(this.bounds, { padding: [marginPx, marginPx], animate: false })
    this.options.onScale(2 ** this.map.getZoom())
  }

  zoomBy(steps: number): void {
    this.untouched = false
    this.map.setZoom(this.map.getZoom() + steps * 0.75)
  }

  /** Where a point of the window lies on the plan. */
  placeOf(event: { clientX: number; clientY: number }): MapPoint {
    const { lat, lng } = this.map.mouseEventToLatLng(event as MouseEvent)
    return { x: lng, y: lat }
  }

  /** The middle of what is seen. */
  middle(): MapPoint {
    const { lat, lng } = this.map.getCenter()
    return { x: lng, y: lat }
  }

  /** Moves the view just so far that the point is in it. */
  reveal(at: MapPoint): void {
    this.map.panInside(toLatLng(at), { padding: [48, 48], animate: false })
  }

  remove(): void {
    this.unwatch()
    this.watcher.disconnect()
    this.map.remove()
  }

  private resized(): void {
    this.map.invalidateSize({ animate: false })
    if (this.untouched) this.fit()
  }
}
