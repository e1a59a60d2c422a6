import L from 'leaflet'
import type { EditPicture } from './types'

const svgSpace = 'http://www.w3.org/2000/svg'

/** The picture below the drawing, turned around its lower left corner. */
export class PictureLayer {
  private overlay: L.SVGOverlay | undefined
  private image: SVGImageElement | undefined
  private drawnAs = ''

  constructor(private readonly map: L.Map) {}

  set(picture: EditPicture | undefined): void {
    const drawnAs = JSON.stringify(picture)
    if (drawnAs === this.drawnAs) return
    this.drawnAs = drawnAs
    if (!picture) return this.remove()
    const { at, widthPx, heightPx, metresPerPx } = picture
    const bounds = L.latLngBounds([at.y, at.x], [at.y + heightPx * metresPerPx, at.x + widthPx * metresPerPx])
    if (this.overlay && this.image?.getAttribute('href') === picture.url) this.overlay.setBounds(bounds)
    else this.draw(picture, bounds)
    this.overlay?.setOpacity(picture.opacity)
    this.image?.setAttribute('transform', `rotate(${picture.rotation} 0 ${heightPx})`)
  }

  private draw({ url, widthPx, heightPx }: EditPicture, bounds: L.LatLngBounds): void {
    this.remove()
    const svg = document.createElementNS(svgSpace, 'svg')
    svg.setAttribute('viewBox', `0 0 ${widthPx} ${heightPx}`)
    svg.setAttribute('preserveAspectRatio', 'none')
    svg.style.overflow = 'visible'
    this.image = document.createElementNS(svgSpace, 'image')
    for (const [name, value] of [['href', url], ['width', widthPx], ['height', heightPx], ['preserveAspectRatio', 'none']] as const) {
      this.image.setAttribute(name, String(value))
    }
    svg.append(this.image)
    this.overlay = L.svgOverlay(svg, bounds, { pane: 'picture', interactive: false }).addTo(this.map)
  }

  private remove(): void {
    this.overlay?.remove()
    this.overlay = undefined
    this.image = undefined
  }
}
