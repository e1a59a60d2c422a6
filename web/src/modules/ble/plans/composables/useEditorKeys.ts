import { onMounted, onScopeDispose } from 'vue'
import { type Command, commandOf } from '../editor/keys'
import { moveBy, remove } from '../editor/model'
import type { PlanDesk } from './usePlanDesk'

export interface EditorView {
  fit: () => void
  zoomBy: (steps: number) => void
  /** Where the keyboard's cursor begins. */
  middle: () => { x: number; y: number }
  reveal: (at: { x: number; y: number }) => void
}

/** Carries out what a key means; each method tells whether it did. */
class KeyActs {
  private row = 0

  constructor(private readonly desk: PlanDesk, private readonly view: () => EditorView | undefined) {}

  /** A held arrow key is one step; the next press begins another. */
  release(): void {
    this.row++
  }

  run(command: Command): boolean {
    const { tools, canEdit } = this.desk
    if (command.kind === 'fit') this.view()?.fit()
    else if (command.kind === 'zoom') this.view()?.zoomBy(command.steps)
    else if (command.kind === 'cancel') tools.cancel()
    else return canEdit.value && this.change(command)
    return true
  }

  private change(command: Command): boolean {
    const { document: doc, tools } = this.desk
    switch (command.kind) {
      case 'tool':
        tools.use(command.tool)
        return true
      case 'undo':
        if (!tools.takeBack()) doc.undo()
        return true
      case 'redo':
        doc.redo()
        return true
      case 'save':
        void doc.save()
        return true
      case 'delete':
        return this.removeChosen()
      case 'all':
        tools.select(new Set(doc.doc.value?.items.filter(({ kind }) => kind !== 'picture').map(({ id }) => id)))
        return true
      case 'move':
        return this.moveChosen(command.dx, command.dy, command.far)
      default:
        return this.place(command.kind === 'finish')
    }
  }

  private removeChosen(): boolean {
    const { document: doc, tools } = this.desk
    if (tools.takeBack()) return true
    if (!doc.doc.value || tools.selection.value.size === 0) return false
    doc.edit(remove(doc.doc.value, tools.selection.value))
    return true
  }

  private moveChosen(dx: number, dy: number, far: boolean): boolean {
    const { document: doc, tools } = this.desk
    const step = tools.gridM.value * (far ? 10 : 1)
    const ids = tools.selection.value
    if (!doc.doc.value) return false
    if (ids.size > 0) doc.edit(moveBy(doc.doc.value, ids, dx * step, dy * step), `arrows ${this.row}`)
    else {
      tools.walk(dx * step, dy * step, this.view()?.middle() ?? { x: 0, y: 0 })
      if (tools.cursor.value) this.view()?.reveal(tools.cursor.value.point)
    }
    return true
  }

  private place(isEnter: boolean): boolean {
    const { tools } = this.desk
    if (isEnter && (tools.stroke.value?.points.length ?? 0) > 1) tools.finish()
    else tools.pressCursor()
    return true
  }
}

// What the focused control does with these keys itself.
const ofControls: readonly Command['kind'][] = ['place', 'finish', 'move']

/** Keys of the editor, wherever the focus is, except where somebody types or a dialog is open. */
export function useEditorKeys(desk: PlanDesk, view: () => EditorView | undefined): void {
  const acts = new KeyActs(desk, view)

  function onKeydown(event: KeyboardEvent) {
    const target = event.target as HTMLElement
    if (event.defaultPrevented || isTyping(target) || window.document.querySelector('.v-overlay--active.v-dialog, .v-overlay--active.v-menu')) return
    const command = commandOf(event)
    if (!command || (isControl(target) && ofControls.includes(command.kind))) return
    if (acts.run(command)) event.preventDefault()
  }

  const onKeyup = () => acts.release()

  onMounted(() => {
    window.addEventListener('keydown', onKeydown)
    window.addEventListener('keyup', onKeyup)
  })
  onScopeDispose(() => {
    window.removeEventListener('keydown', onKeydown)
    window.removeEventListener('keyup', onKeyup)
  })
}

const isTyping = (target: HTMLElement) => target.matches('input, textarea, select, [contenteditable=true], [role=slider], [role=combobox], [role=listbox] *')
const isControl = (target: HTMLElement) => target.closest('button, a, [role=tab], [role=option]') !== null
