import L from 'leaflet'
import type { Trail } from './types'

// The canvas reaches this far over the map's edges, as a share of its size, so
// that a drag shows no bare border before the next drawing.
const overlap = 0.2
const alpha = 0.55

/** Trails on one canvas below the tags. */
export class TrailLayer {
  private readonly canvas: HTMLCanvasElement
  private trails: readonly Trail[] = []

  constructor(private readonly map: L.Map) {
    const pane = map.createPane('trails')
    pane.style.zIndex = '425'
    pane.style.pointerEvents = 'none'
    this.canvas = pane.appendChild(document.createElement('canvas'))
    this.canvas.setAttribute('aria-hidden', 'true')
    this.canvas.dataset.trails = '0'
    // While Leaflet scales the map the trails would be wrong: they come back after it.
    map.on('zoomanim', () => (this.canvas.style.visibility = 'hidden'))
    map.on('zoomend moveend resize viewreset', () => this.paint())
  }

  set(trails: readonly Trail[]): void {
    this.trails = trails
    this.canvas.dataset.trails = String(trails.length)
    this.paint()
  }

  private paint(): void {
    const context = this.canvas.getContext('2d')
    if (!context) return
    const size = this.map.getSize()
    const corner = this.map.containerPointToLayerPoint(size.multiplyBy(-overlap)).round()
    this.fit(size.multiplyBy(1 + 2 * overlap).ceil())
    L.DomUtil.setPosition(this.canvas, corner)
    this.canvas.style.visibility = ''
    const dots = window.devicePixelRatio
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    context.setTransform(dots, 0, 0, dots, 0, 0)
    context.lineJoin = context.lineCap = 'round'
    const origin = this.map.getPixelOrigin().add(corner)
    const style = getComputedStyle(this.map.getContainer())
    for (const type of ['person', 'asset', 'vehicle', 'selected']) this.stroke(context, type, style, origin)
  }

  /** All trails of one look are one path: a stroke costs more than its points. */
  private stroke(context: CanvasRenderingContext2D, look: string, style: CSSStyleDeclaration, origin: L.Point): void {
    const scale = 2 ** this.map.getZoom()
    context.beginPath()
    for (const trail of this.trails) {
      if (lookOf(trail) !== look) continue
      for (const piece of trail.pieces) {
        for (let i = 0; i + 1 < piece.length; i += 2) {
          const [x, y] = [(piece[i] as number) * scale - origin.x, -(piece[i + 1] as number) * scale - origin.y]
          if (i === 0) context.moveTo(x, y)
          else context.lineTo(x, y)
        }
      }
    }
    const isSelected = look === 'selected'
    context.strokeStyle = style.getPropertyValue(isSelected ? '--selected' : `--tag-${look}`)
    context.globalAlpha = isSelected ? 1 : alpha
    context.lineWidth = isSelected ? 3 : 1.75
    context.stroke()
  }

  private fit(size: L.Point): void {
    const dots = window.devicePixelRatio
    const [width, height] = [Math.ceil(size.x * dots), Math.ceil(size.y * dots)]
    if (this.canvas.width === width && this.canvas.height === height) return
    this.canvas.width = width
    this.canvas.height = height
    this.canvas.style.width = `${size.x}px`
    this.canvas.style.height = `${size.y}px`
  }
}

function lookOf({ type, isSelected }: Trail): string {
  if (isSelected) return 'selected'
  return type === 'person' || type === 'vehicle' ? type : 'asset'
}
