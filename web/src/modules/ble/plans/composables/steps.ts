import { shallowRef } from 'vue'
import { History } from '../editor/history'
import type { Doc } from '../editor/model'

/** The steps of a document, and what a page shows of them. Empty until it is started. */
export class Steps {
  readonly doc = shallowRef<Doc>()
  readonly canUndo = shallowRef(false)
  readonly canRedo = shallowRef(false)
  private history: History<Doc> | undefined

  get present(): Doc | undefined {
    return this.history?.present
  }

  start(doc: Doc): void {
    this.history = new History(doc)
    this.show()
  }

  push(doc: Doc, key = ''): void {
    this.history?.push(doc, key)
    this.show()
  }

  /** Changes every step alike. */
  map(change: (doc: Doc) => Doc): void {
    this.history?.map(change)
    this.show()
  }

  amend(doc: Doc): void {
    this.history?.amend(doc)
    this.show()
  }

  /** False when there is no such step. */
  go(way: 'undo' | 'redo'): boolean {
    const isMoved = this.history?.[way]() ?? false
    this.show()
    return isMoved
  }

  close(): void {
    this.history?.close()
  }

  private show(): void {
    this.doc.value = this.history?.present
    this.canUndo.value = this.history?.canUndo ?? false
    this.canRedo.value = this.history?.canRedo ?? false
  }
}
