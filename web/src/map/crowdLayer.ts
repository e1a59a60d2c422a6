import type L from 'leaflet'
import { CanvasPane, type Drawing, tagColours } from './canvasPane'
import type { MapPoint } from './types'

/** One tag of a crowd, as it is drawn. */
export interface Dot {
  at: MapPoint
  look: 'person' | 'asset' | 'vehicle' | 'stale'
  /** People are round, everything else has corners. */
  round: boolean
  /** What stands on an avatar. */
  initials: string
}

// As in map.css: an avatar, and what it shrinks to where the plan is small; with
// their edges.
const sizes = { avatar: { half: 15, radius: 13, corner: 7 }, dot: { half: 8, radius: 6, corner: 3 } }
const font = "700 10px 'Inter Variable', sans-serif"
// Few looks, but as many initials as there are tags: all are made anew beyond this.
const mostSprites = 2000

/** Many tags on one canvas, each a stamp of a picture that is made once. */
export class CrowdLayer {
  private readonly pane: CanvasPane
  private readonly sprites = new Map<string, HTMLCanvasElement>()
  private colours: ReadonlyMap<string, string> = new Map()

  /** `onStale`: a font came, and what stands still has to be drawn anew. */
  constructor(private readonly map: L.Map, private readonly onStale: () => void) {
    this.pane = new CanvasPane(map, 'tagCrowd')
    // More than once: each script has a file of its own, which is fetched when it is first written.
    document.fonts.addEventListener('loadingdone', this.renew)
  }

  remove(): void {
    document.fonts.removeEventListener('loadingdone', this.renew)
  }

  draw(dots: Iterable<Dot>, form: 'avatar' | 'dot'): void {
    const drawing = this.pane.begin()
    if (!drawing) return
    for (const dot of dots) this.stamp(drawing, dot, form)
  }

  clear(): void {
    this.pane.begin()
  }

  /** Looks the colours up anew: the theme may have changed. */
  refreshColours(): void {
    const colours = tagColours(this.map)
    if ([...colours].every(([name, value]) => this.colours.get(name) === value)) return
    this.colours = colours
    this.sprites.clear()
  }

  private readonly renew = (): void => {
    this.sprites.clear()
    this.onStale()
  }

  private stamp({ context, scale, origin, size }: Drawing, dot: Dot, form: 'avatar' | 'dot'): void {
    const { half } = sizes[form]
    const x = dot.at.x * scale - origin.x - half
    const y = -dot.at.y * scale - origin.y - half
    if (x < -2 * half || y < -2 * half || x > size.x || y > size.y) return
    context.drawImage(this.sprite(dot, form), x, y, 2 * half, 2 * half)
  }

  private sprite(dot: Dot, form: 'avatar' | 'dot'): HTMLCanvasElement {
    const text = form === 'dot' ? '' : dot.initials
    // Another screen, or another zoom of the page, has other pixels.
    const key = `${window.devicePixelRatio} ${form} ${dot.look} ${dot.round} ${text}`
    const known = this.sprites.get(key)
    if (known) return known
    if (this.sprites.size >= mostSprites) this.sprites.clear()
    const made = this.makeSprite(dot, form, text)
    this.sprites.set(key, made)
    return made
  }

  private makeSprite({ look, round }: Dot, form: 'avatar' | 'dot', text: string): HTMLCanvasElement {
    const { half, radius, corner } = sizes[form]
    const dots = window.devicePixelRatio
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = Math.ceil(2 * half * dots)
    const context = canvas.getContext('2d')
    if (!context) return canvas
    context.scale(dots, dots)
    const shape = (reach: number) => {
      context.beginPath()
      context.roundRect(half - reach, half - reach, 2 * reach, 2 * reach, round ? reach : corner + reach - radius)
      context.fill()
    }
    context.fillStyle = this.colours.get('edge') ?? ''
    shape(radius + 2)
    context.fillStyle = this.colours.get(look) ?? ''
    shape(radius)
    context.fillStyle = this.colours.get('ink') ?? ''
    context.font = font
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillText(text, half, half + 0.5)
    return canvas
  }
}
