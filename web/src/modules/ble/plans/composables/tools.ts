import { computed, type ComputedRef, type Ref, shallowRef, watch } from 'vue'
import type { EditPointer } from '@/map/edit/types'
import { beginDrag, aimOf, crossingsOf, type Drag, dragged, movingIds } from '../editor/drag'
import { back, begin, type DrawKind, finish, type Drawn, goesAround, press, rectangle, type Stroke } from '../editor/draw'
import { hit, hitHandle } from '../editor/hit'
import type { Tool } from '../editor/keys'
import { type Doc, type Item, itemOf, type Kind, pictureOf, type Point, within } from '../editor/model'
import { crossings, distance } from '../editor/polygon'
import { gridFor, snap, type SnapResult } from '../editor/snap'

export interface ToolsOptions {
  doc: Readonly<Ref<Doc | undefined>>
  edit: (doc: Doc) => void
  /** Whether anything may be changed at all. */
  canEdit: Readonly<Ref<boolean>>
  /** Kinds that are seen, and so can be chosen. */
  kinds: Readonly<Ref<readonly Kind[]>>
  /** A shape was drawn to its end. */
  onShape: (kind: DrawKind, points: readonly Point[]) => void
  /** A place was chosen with a tool that needs one point. */
  onPlace: (tool: Tool, p: Point) => void
}

// How far a pointer reaches, pixels: fingers are broader than they look.
const reachPx = { mouse: 9, touch: 18 }
const drawing: Readonly<Partial<Record<Tool, DrawKind>>> = { wall: 'wall', room: 'room', door: 'door', no_go: 'no_go', zone: 'zone', scale: 'scale' }
// Large ones are first chosen, then moved: a drag over them is meant for the map.
const areas: readonly Kind[] = ['room', 'no_go', 'zone']

/** Tools, selection and pointer. What is dragged shows as `visible`, and becomes a step when it is let go. */
export class Tools {
  readonly tool = shallowRef<Tool>('select')
  readonly selection = shallowRef<ReadonlySet<string>>(new Set())
  readonly stroke = shallowRef<Stroke>()
  readonly cursor = shallowRef<SnapResult>()
  /** Where the border crosses itself of what was refused. */
  readonly refused = shallowRef<readonly Point[]>([])
  readonly pxPerMetre = shallowRef(20)
  readonly gridM = computed(() => gridFor(this.pxPerMetre.value))
  private readonly preview = shallowRef<Doc>()
  readonly visible: ComputedRef<Doc | undefined>
  /** The chosen item, when it is one. */
  readonly single: ComputedRef<Item | undefined>
  /** How long the stretch is that is being drawn. */
  readonly lengthM: ComputedRef<number | undefined>
  private drag: Drag | undefined
  private corner: Point | undefined

  constructor(private readonly options: ToolsOptions) {
    this.visible = computed(() => this.preview.value ?? options.doc.value)
    this.single = computed(() => {
      const [id] = this.selection.value
      return this.selection.value.size === 1 && this.visible.value ? itemOf(this.visible.value, id as string) : undefined
    })
    this.lengthM = computed(() => {
      const last = this.stroke.value?.points.at(-1)
      return last && this.cursor.value ? distance(last, this.cursor.value.point) : undefined
    })
    watch(options.doc, (now) => this.forgetGone(now))
  }

  use(next: Tool): void {
    this.tool.value = next
    this.stroke.value = drawing[next] ? begin(drawing[next]) : undefined
    this.cursor.value = undefined
    this.preview.value = undefined
    this.refused.value = []
    this.drag = undefined
    if (next !== 'select') this.selection.value = new Set()
  }

  select(ids: ReadonlySet<string>): void {
    this.selection.value = ids
  }

  /** Whether the pointer that goes down here is for the editor; otherwise it moves the map. */
  claims = (pointer: EditPointer): boolean => {
    const doc = this.options.doc.value
    if (!doc || !this.options.canEdit.value) return false
    this.pxPerMetre.value = pointer.pxPerMetre
    if (this.tool.value === 'select') return this.take(doc, pointer)
    if (this.tool.value === 'picture') return this.takePicture(doc, pointer)
    const kind = this.stroke.value?.kind
    this.corner = pointer.shift && kind && goesAround(kind) ? this.snapped(doc, pointer).point : undefined
    return this.corner !== undefined
  }

  move = (pointer: EditPointer): void => {
    const doc = this.options.doc.value
    if (!doc) return
    this.pxPerMetre.value = pointer.pxPerMetre
    if (this.drag) return this.pull(doc, this.drag, pointer)
    if (this.tool.value === 'select' || this.tool.value === 'picture' || !this.options.canEdit.value) return
    this.cursor.value = this.snapped(doc, pointer)
    if (this.corner && this.stroke.value) {
      const points = (rectangle(this.corner, this.cursor.value.point) ?? [this.corner]).slice(0, 3)
      this.stroke.value = { ...this.stroke.value, points }
    }
  }

  up = (pointer: EditPointer, isPress: boolean): void => {
    const doc = this.options.doc.value
    if (!doc) return
    this.pxPerMetre.value = pointer.pxPerMetre
    if (this.corner) return this.endRectangle(doc, this.corner, pointer)
    if (this.drag && !isPress) return this.drop()
    this.drag = undefined
    if (isPress) this.press(doc, pointer)
  }

  leave = (): void => {
    if (!this.drag) this.cursor.value = undefined
  }

  /** By keyboard: the cursor walks, and a press happens where it is. */
  walk(dx: number, dy: number, start: Point): void {
    const doc = this.options.doc.value
    const from = this.cursor.value?.point ?? start
    if (doc) this.cursor.value = { point: within(doc.bounds, { x: from.x + dx, y: from.y + dy }), kind: 'grid' }
  }

  pressCursor(): void {
    const doc = this.options.doc.value
    const at = this.cursor.value?.point
    if (doc && at) this.press(doc, { at, pxPerMetre: this.pxPerMetre.value, alt: true, shift: false, touch: false })
  }

  finish(): void {
    if (this.stroke.value) this.takeDrawn(finish(this.stroke.value))
  }

  /** Takes the last corner of the stroke back; false when there is none. */
  takeBack(): boolean {
    if (!this.stroke.value || this.stroke.value.points.length === 0) return false
    this.refused.value = []
    this.stroke.value = back(this.stroke.value)
    return true
  }

  /** One step back: the drag, the stroke, the selection, the tool. */
  cancel(): void {
    this.refused.value = []
    const isBusy = this.drag !== undefined || this.corner !== undefined
    this.drag = undefined
    this.corner = undefined
    this.preview.value = undefined
    if (this.stroke.value && (isBusy || this.stroke.value.points.length > 0)) this.stroke.value = begin(this.stroke.value.kind)
    else if (isBusy) this.cursor.value = undefined
    else if (this.selection.value.size > 0) this.selection.value = new Set()
    else this.use('select')
  }

  private take(doc: Doc, pointer: EditPointer): boolean {
    const aim = { p: pointer.at, reachM: reachOf(pointer), kinds: this.options.kinds.value }
    const found = hitHandle(this.single.value, aim) ?? hit(doc, aim)
    if (!found || pointer.shift) return false
    const kind = itemOf(doc, found.id)?.kind
    const isChosen = this.selection.value.has(found.id)
    if (!isChosen && (pointer.touch || (kind && areas.includes(kind)))) return false
    if (!isChosen) this.selection.value = new Set([found.id])
    this.drag = beginDrag(doc, found, this.selection.value, pointer.at)
    return this.drag !== undefined
  }

  private takePicture(doc: Doc, pointer: EditPointer): boolean {
    const picture = pictureOf(doc)
    if (picture) this.drag = { kind: 'move', start: doc, ids: new Set([picture.id]), from: pointer.at, anchor: picture.points[0] as Point }
    return picture !== undefined
  }

  private pull(doc: Doc, drag: Drag, pointer: EditPointer): void {
    // A picture lies under everything: it must not jump to what is drawn on it.
    const isPicture = this.tool.value === 'picture'
    const to = isPicture ? { point: aimOf(drag, pointer.at), kind: 'none' as const } : this.snapped(doc, { ...pointer, at: aimOf(drag, pointer.at) }, movingIds(drag))
    this.cursor.value = isPicture ? undefined : to
    this.preview.value = dragged(drag, to.point)
    this.refused.value = crossingsOf(this.preview.value, movingIds(drag)).map(({ at }) => at)
  }

  private drop(): void {
    // What crosses itself goes back; the marks stay and say why.
    const { value } = this.preview
    this.preview.value = undefined
    this.cursor.value = undefined
    this.drag = undefined
    if (value && this.refused.value.length === 0) this.options.edit(value)
  }

  private endRectangle(doc: Doc, from: Point, pointer: EditPointer): void {
    const kind = this.stroke.value?.kind
    this.corner = undefined
    if (!kind) return
    this.stroke.value = begin(kind)
    const points = rectangle(from, this.snapped(doc, pointer).point)
    if (points) this.options.onShape(kind, points)
  }

  private press(doc: Doc, pointer: EditPointer): void {
    this.refused.value = []
    const reachM = reachOf(pointer)
    if (this.tool.value === 'select') return this.choose(hit(doc, { p: pointer.at, reachM, kinds: this.options.kinds.value })?.id, pointer.shift)
    if (this.tool.value === 'picture' || !this.options.canEdit.value) return
    const { point } = this.snapped(doc, pointer)
    if (this.stroke.value) this.takeDrawn(press(this.stroke.value, point, reachM))
    else this.options.onPlace(this.tool.value, point)
  }

  private takeDrawn({ stroke, done }: Drawn): void {
    this.refused.value = done && goesAround(stroke.kind) ? crossings(done).map(({ at }) => at) : []
    // Refused shapes stay as they are drawn: taking back a corner may be all they need.
    if (this.refused.value.length > 0) return
    this.stroke.value = stroke
    if (done) this.options.onShape(stroke.kind, done)
  }

  private choose(id: string | undefined, add: boolean): void {
    const old = this.selection.value
    if (!add) this.selection.value = new Set(id ? [id] : [])
    else if (id) this.selection.value = new Set(old.has(id) ? [...old].filter((other) => other !== id) : [...old, id])
  }

  private snapped(doc: Doc, pointer: EditPointer, without: ReadonlySet<string> = new Set()): SnapResult {
    if (pointer.alt) return { point: within(doc.bounds, pointer.at), kind: 'none' }
    const points = this.stroke.value?.points ?? []
    const { min, max } = doc.bounds
    const frame = { kind: 'room' as const, points: [min, { x: max.x, y: min.y }, max, { x: min.x, y: max.y }] }
    const others = doc.items.filter(({ id, kind }) => kind !== 'picture' && kind !== 'label' && !without.has(id))
    const items = [...others, { kind: 'wall' as const, points }, frame]
    const result = snap(pointer.at, { items, from: points.at(-1), before: points.at(-2), gridM: this.gridM.value, reachM: reachOf(pointer) })
    return { ...result, point: within(doc.bounds, result.point) }
  }

  /** What is gone cannot stay chosen. */
  private forgetGone(doc: Doc | undefined): void {
    const kept = [...this.selection.value].filter((id) => doc && itemOf(doc, id))
    if (kept.length !== this.selection.value.size) this.selection.value = new Set(kept)
  }
}

const reachOf = (pointer: EditPointer): number => (pointer.touch ? reachPx.touch : reachPx.mouse) / pointer.pxPerMetre
