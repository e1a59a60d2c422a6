import { type Motion, positionAt, retarget, standing } from './motion'
import type { LabelWish } from './declutter'
import type { MapPoint, MapTag } from './types'

// Average width of a letter of the label's font and its padding, pixels: good
// enough to keep labels apart, and needs no layout of the page.
const letterPx = 6.6
const labelPaddingPx = 12
const labelHeightPx = 20
// From the tag's middle to its label's nearer edge; map.css says the same.
const labelGapPx = { avatar: 17, dot: 10 }
const avatarHalfPx = { avatar: 14, dot: 7 }

/** One tag's element. Written by TagLayer only, never by Vue. */
export class TagMarker {
  readonly element = document.createElement('div')
  private readonly ring = this.element.appendChild(document.createElement('i'))
  private readonly avatar = this.element.appendChild(document.createElement('b'))
  private readonly label = this.element.appendChild(document.createElement('span'))
  private readonly signal: HTMLElement
  private readonly name: HTMLElement
  private ringPx = -1
  motion: Motion
  labelShown = false
  private labelSide = 0
  private labelWidthPx = 0

  constructor(public tag: MapTag, initials: (name: string) => string) {
    this.motion = standing(tag)
    this.element.dataset.tag = tag.id
    this.ring.className = 'tag-accuracy'
    this.avatar.className = 'tag-avatar'
    this.label.className = 'tag-label'
    this.name = this.label.appendChild(document.createElement('em'))
    this.signal = this.label.appendChild(document.createElement('small'))
    this.write(tag, initials)
  }

  /** Takes a newer state over; `animate` false puts it there at once. */
  update(tag: MapTag, now: number, initials: (name: string) => string, animate: boolean): void {
    if (tag === this.tag) return
    this.motion = animate ? retarget(this.motion, tag, now) : standing(tag)
    this.write(tag, initials)
    this.tag = tag
  }

  private write(tag: MapTag, initials: (name: string) => string): void {
    this.element.className = `tag leaflet-zoom-animated tag--${tag.type === 'person' || tag.type === 'vehicle' ? tag.type : 'asset'}`
    this.element.classList.toggle('is-stale', tag.stale)
    this.element.classList.toggle('has-label', this.labelShown)
    this.element.classList.toggle('is-left', this.labelSide === 1)
    this.avatar.textContent = initials(tag.name)
    this.name.textContent = tag.name
    this.signal.textContent = tag.signal
    this.labelWidthPx = (tag.name.length + tag.signal.length) * letterPx + labelPaddingPx
    this.element.dataset.xM = tag.x.toFixed(2)
    this.element.dataset.yM = tag.y.toFixed(2)
  }

  /** What its label asks for, the marker standing at x, y: right of it, else left. */
  labelWish(x: number, y: number, form: 'avatar' | 'dot', priority: number): LabelWish {
    const half = avatarHalfPx[form]
    const label = { top: y - labelHeightPx / 2, width: this.labelWidthPx, height: labelHeightPx }
    const gap = labelGapPx[form]
    return {
      id: this.tag.id,
      places: [{ ...label, left: x + gap }, { ...label, left: x - gap - this.labelWidthPx }],
      marker: { left: x - half, top: y - half, width: half * 2, height: half * 2 },
      priority,
    }
  }

  /** Shows the label at a place of its wish, or hides it. */
  showLabel(place: number | undefined): void {
    if (place !== undefined && place !== this.labelSide) {
      this.labelSide = place
      this.element.classList.toggle('is-left', place === 1)
    }
    if (this.labelShown === (place !== undefined)) return
    this.labelShown = !this.labelShown
    this.element.classList.toggle('has-label', this.labelShown)
  }

  sizeRing(pxPerMetre: number): void {
    const px = Math.round(this.tag.accuracyM * 2 * pxPerMetre)
    if (px === this.ringPx) return
    this.ringPx = px
    this.ring.style.width = this.ring.style.height = `${px}px`
  }

  position(now: number): MapPoint {
    return positionAt(this.motion, now)
  }

  moveTo(x: number, y: number): void {
    this.element.style.transform = `translate3d(${x.toFixed(1)}px, ${y.toFixed(1)}px, 0)`
  }
}
