import type L from 'leaflet'
import { CanvasPane, tagColours } from './canvasPane'
import type { MapPoint } from './types'

/** The accuracy of one tag, as it is drawn. */
export interface Ring {
  at: MapPoint
  radiusM: number
  look: 'person' | 'asset' | 'vehicle' | 'stale' | 'selected'
}

const lineAlpha = 0.28
const fillAlpha = 0.16

/**
 * Circles of accuracy on one canvas: as elements each would be a texture as
 * large as its circle, and a crowd of them costs more memory than the page.
 */
export class RingLayer {
  private readonly pane: CanvasPane
  private colours: ReadonlyMap<string, string> = new Map()

  constructor(private readonly map: L.Map) {
    this.pane = new CanvasPane(map, 'tagRings')
  }

  draw(rings: readonly Ring[]): void {
    const drawing = this.pane.begin()
    if (!drawing) return
    const { context, scale, origin } = drawing
    for (const { at, radiusM, look } of rings) {
      context.beginPath()
      context.arc(at.x * scale - origin.x, -at.y * scale - origin.y, radiusM * scale, 0, 2 * Math.PI)
      this.paint(context, look)
    }
  }

  /** Looks the colours up anew: the theme may have changed. */
  refreshColours(): void {
    this.colours = tagColours(this.map)
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
}
