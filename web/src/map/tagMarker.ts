import type { LabelWish } from './declutter'
import { type Motion, positionAt, retarget, standing } from './motion'
import type { MapPoint, MapTag } from './types'

// Average width of a letter of the label's font and its padding, pixels: good
// enough to keep labels apart, and needs no layout of the page.
const letterPx = 6.6
const labelPaddingPx = 12
const labelHeightPx = 20
// From the tag's middle to its label's nearer edge; map.css says the same.
const labelGapPx = { avatar: 17, dot: 10 }
const avatarHalfPx = { avatar: 14, dot: 7 }

/** One tag's element. Written by TagLayer only, never by Vue, and only where something changed. */
export class TagMarker {
  readonly element = document.createElement('div')
  private readonly avatar = this.element.appendChild(document.createElement('b'))
  private readonly label = this.element.appendChild(document.createElement('span'))
  private readonly signal: HTMLElement
  private readonly name: HTMLElement
  private labelPlace: number | undefined
  private labelWidthPx = 0
  private written: MapTag | undefined
  /** What stands on its avatar. */
  initials = ''
  motion: Motion
  /** Whether it stands where its newest fix is, so that nothing is to be done. */
  isPlaced = false
  /** Whether its element is on the map; in a crowd only some are. */
  isAttached = false

  constructor(public tag: MapTag, initials: (name: string) => string) {
    this.motion = standing(tag)
    this.element.dataset.tag = tag.id
    this.element.className = 'tag leaflet-zoom-animated'
    this.avatar.className = 'tag-avatar'
    this.label.className = 'tag-label'
    this.name = this.label.appendChild(document.createElement('em'))
    this.signal = this.label.appendChild(document.createElement('small'))
    this.take(tag, initials)
    this.write()
  }

  attach(pane: HTMLElement): void {
    if (this.isAttached) return
    this.isAttached = true
    this.isPlaced = false
    this.write()
    pane.appendChild(this.element)
  }

  detach(): void {
    this.isAttached = false
    this.element.remove()
  }

  /** Takes a newer state over; `animate` false puts it there at once. */
  update(tag: MapTag, now: number, initials: (name: string) => string, animate: boolean): void {
    if (tag === this.tag) return
    this.motion = animate ? retarget(this.motion, tag, now) : standing(tag)
    this.take(tag, initials)
    this.isPlaced = false
    // Nobody sees the others; they are written when they come onto the map.
    if (this.isAttached) this.write()
  }

  private take(tag: MapTag, initials: (name: string) => string): void {
    if (this.initials === '' || tag.name !== this.tag.name) this.initials = initials(tag.name)
    this.tag = tag
    this.labelWidthPx = (tag.name.length + tag.signal.length) * letterPx + labelPaddingPx
  }

  private write(): void {
    const { tag, written: old } = this
    const { classList, dataset } = this.element
    if (tag === old) return
    this.written = tag
    if (tag.type !== old?.type) {
      classList.toggle('tag--person', tag.type === 'person')
      classList.toggle('tag--vehicle', tag.type === 'vehicle')
    }
    if (tag.stale !== old?.stale) classList.toggle('is-stale', tag.stale)
    if (tag.name !== old?.name) {
      this.avatar.textContent = this.initials
      this.name.textContent = tag.name
    }
    if (tag.signal !== old?.signal) this.signal.textContent = tag.signal
    dataset.xM = tag.x.toFixed(2)
    dataset.yM = tag.y.toFixed(2)
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
    if (place === this.labelPlace) return
    this.labelPlace = place
    this.element.classList.toggle('has-label', place !== undefined)
    if (place !== undefined) this.element.classList.toggle('is-left', place === 1)
  }

  get isLabelled(): boolean {
    return this.labelPlace !== undefined
  }

  position(now: number): MapPoint {
    return positionAt(this.motion, now)
  }

  /** Puts it at a place in the pane's pixels. */
  moveTo(at: MapPoint): void {
    this.element.style.transform = `translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px)`
  }
}
