import L from 'leaflet'

/** A drawing in progress. */
export interface Drawing {
  context: CanvasRenderingContext2D
  /** Pixels per metre. */
  scale: number
  /** What is to be taken from scaled metres to be on the canvas, pixels. */
  origin: L.Point
  /** The canvas's size in pixels of the page. */
  size: L.Point
}

// The canvas reaches this far over the map's edges, as a share of its size, so
// that a drag shows no bare border before the next drawing.
const overlap = 0.2

/** A pane of the map with one canvas, for what would be too many elements. */
export class CanvasPane {
  private readonly canvas: HTMLCanvasElement

  constructor(private readonly map: L.Map, name: string) {
    this.canvas = map.createPane(name).appendChild(document.createElement('canvas'))
    this.canvas.setAttribute('aria-hidden', 'true')
    // While Leaflet scales the map the drawing would be wrong: it comes back after it.
    map.on('zoomanim', () => (this.canvas.style.visibility = 'hidden'))
  }

  /** An empty canvas where the map is now. */
  begin(): Drawing | undefined {
    const context = this.canvas.getContext('2d')
    if (!context) return undefined
    const size = this.map.getSize()
    const corner = this.map.containerPointToLayerPoint(size.multiplyBy(-overlap)).round()
    const whole = size.multiplyBy(1 + 2 * overlap).ceil()
    this.fit(whole)
    L.DomUtil.setPosition(this.canvas, corner)
    this.canvas.style.visibility = ''
    const dots = window.devicePixelRatio
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    context.setTransform(dots, 0, 0, dots, 0, 0)
    return { context, scale: 2 ** this.map.getZoom(), origin: this.map.getPixelOrigin().add(corner), size: whole }
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

/** The theme's colours of tags, by look and as "edge" and "ink". */
export function tagColours(map: L.Map): ReadonlyMap<string, string> {
  const style = getComputedStyle(map.getContainer())
  const colours = new Map(['person', 'asset', 'vehicle', 'stale', 'edge', 'ink'].map((name) => [name, style.getPropertyValue(`--tag-${name}`)]))
  return colours.set('selected', style.getPropertyValue('--selected'))
}
