import L from 'leaflet'
import type { MapPoint } from './types'

/** The accuracy of one tag, as it is drawn. */
export interface Ring {
  at: MapPoint
  radiusM: number
  look: 'person' | 'asset' | 'vehicle' | 'stale' | 'selected'
}

// The canvas reaches this far over the map's edges, as a share of its size, so
// that a drag shows no bare border before the next drawing.
const overlap = 0.2
const lineAlpha = 0.28
const fillAlpha = 0.16

/**
 * Circles of accuracy on one canvas: as elements each would be a texture as
 * large as its circle, and a crowd of them costs more memory than the page.
 */
export class RingLayer {
  private readonly canvas: HTMLCanvasElement
  private readonly colours = new Map<string, string>()

  constructor(private readonly map: L.Map) {
    this.canvas = map.createPane('tagRings').appendChild(document.createElement('canvas'))
    this.canvas.setAttribute('aria-hidden', 'true')
    // While Leaflet scales the map the circles would be wrong: they come back after it.
    map.on('zoomanim', () => (this.canvas.style.visibility = 'hidden'))
  }

  draw(rings: readonly Ring[]): void {
    const context = this.canvas.getContext('2d')
    if (!context) return
    const size = this.map.getSize()
    const corner = this.map.containerPointToLayerPoint(size.multiplyBy(-overlap)).round()
    this.fit(size.multiplyBy(1 + 2 * overlap).ceil())
    L.DomUtil.setPosition(this.canvas, corner)
    this.canvas.style.visibility = ''
    const dots = window.devicePixelRatio
    const scale = 2 ** this.map.getZoom()
    const origin = this.map.getPixelOrigin().add(corner)
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    context.setTransform(dots, 0, 0, dots, 0, 0)
    for (const { at, radiusM, look } of rings) {
      context.beginPath()
      context.arc(at.x * scale - origin.x, -at.y * scale - origin.y, radiusM * scale, 0, 2 * Math.PI)
      this.paint(context, look)
    }
  }

  /** Looks the colours up anew: the theme may have changed. */
  refreshColours(): void {
    const style = getComputedStyle(this.map.getContainer())
    for (const look of ['person', 'asset', 'vehicle', 'stale']) this.colours.set(look, style.getPropertyValue(`--tag-${look}`))
    this.colours.set('selected', style.getPropertyValue('--selected'))
  }

  private paint(context: CanvasRenderingContext2D, look: Ring['look']): void {
    context.strokeStyle = context.fillStyle = this.colours.get(look) ?? ''
    // No filling for the many: it would hide the colours of the zones.
    if (look === 'selected') {
      context.globalAlpha = fillAlpha
      context.fill()
    }
    context.globalAlpha = look === 'selected' ? 1 : lineAlpha
    context.setLineDash(look === 'stale' ? [4, 4] : [])
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
