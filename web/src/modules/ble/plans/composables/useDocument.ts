import { onScopeDispose, type Ref, shallowRef } from 'vue'
import { apply, merge, same } from '../editor/changes'
import { type Draft, type Drafts } from '../editor/drafts'
import { History } from '../editor/history'
import { type Doc, ofKind } from '../editor/model'
import { fromServer } from '../editor/identity'
import { type Backend, type Loaded, Saver, type SaveState } from '../editor/saver'

export interface UseDocumentOptions {
  plan: string
  backend: Backend
  drafts: Drafts
}

export interface UseDocumentReturn {
  doc: Readonly<Ref<Doc | undefined>>
  state: Readonly<Ref<SaveState>>
  canUndo: Readonly<Ref<boolean>>
  canRedo: Readonly<Ref<boolean>>
  /** Edits of an earlier page that the server does not have. */
  found: Readonly<Ref<Draft | undefined>>
  /** Why the plan could not be read. */
  error: Readonly<Ref<unknown>>
  load: () => Promise<void>
  /** The document is this now; steps of one key are undone together. */
  edit: (doc: Doc, key?: string) => void
  /** Ends such a row of steps. */
  close: () => void
  undo: () => void
  redo: () => void
  save: () => Promise<boolean>
  /** Before the page goes: waits for what is not saved, but not for long. Saving then ends by itself. */
  leave: () => Promise<void>
  resolve: (choice: 'theirs' | 'mine') => void
  takeUp: () => void
  discard: () => void
  /** Does something on the server that changes the whole plan, then reads it; `change` does the same to the steps. */
  transform: (act: () => Promise<unknown>, change: Change) => Promise<void>
}

/** What becomes of a step when the server's document is `now`. */
type Change = (doc: Doc, now: Doc) => Doc

// Nobody is held back for longer: what cannot be sent is kept as a draft.
const longestLeaveMs = 2000

/** A plan that is edited, with its steps, its saving and its draft. */
export function useDocument({ plan, backend, drafts }: UseDocumentOptions): UseDocumentReturn {
  const page = crypto.randomUUID()
  const doc = shallowRef<Doc>()
  const state = shallowRef<SaveState>({ kind: 'saved' })
  const canUndo = shallowRef(false)
  const canRedo = shallowRef(false)
  const found = shallowRef<Draft>()
  const error = shallowRef<unknown>()
  let older: readonly Draft[] = []
  let history: History<Doc> | undefined
  let saver: Saver | undefined
  let transforming: Promise<void> = Promise.resolve()
  // While the whole plan changes, edits wait: sent now, they would meet it half way.
  let isHeld = false

  function show() {
    doc.value = history?.present
    canUndo.value = history?.canUndo ?? false
    canRedo.value = history?.canRedo ?? false
  }

  function start(loaded: Loaded) {
    history = new History(loaded.doc)
    saver = new Saver({ plan, page, backend, drafts, start: loaded, onState: (now) => (state.value = now), onServer: adopt })
    show()
  }

  function adopt(server: Doc) {
    const numbered = doc.value && numberedAs(server, doc.value)
    if (numbered) history?.map(numbered)
    show()
  }

  async function load(): Promise<void> {
    error.value = undefined
    try {
      const [loaded, kept] = await Promise.all([backend.load(), drafts.list(plan).catch(() => [])])
      start(loaded)
      const hasArrived = (draft: Draft) => same(fromServer(loaded.doc, draft.ids), meant(draft))
      kept.filter(hasArrived).forEach(forget)
      offer(kept.filter((draft) => !hasArrived(draft)))
    } catch (cause) {
      error.value = cause
    }
  }

  function edit(next: Doc, key = '') {
    if (!history || next === history.present) return
    // Whoever goes on drawing is not asked any more; another page may ask again.
    offer([])
    history.push(next, key)
    show()
    if (!isHeld) saver?.edit(next)
  }

  function step(moved: boolean | undefined) {
    show()
    if (moved && history && !isHeld) saver?.edit(history.present)
  }

  function resolve(choice: 'theirs' | 'mine') {
    if (saver && history) history.push(saver.resolve(choice))
    show()
  }

  function takeUp() {
    const draft = found.value
    if (!draft || !history || isHeld) return
    offer([])
    history.push(draft.current)
    show()
    saver?.resume(draft)
  }

  function discard() {
    if (found.value) forget(found.value)
    offer(older)
  }

  function offer([newest, ...others]: readonly Draft[]) {
    found.value = newest
    older = others
  }

  function forget(draft: Draft) {
    void drafts.remove(draft).catch(() => undefined)
  }

  /** One after the other. */
  function transform(act: () => Promise<unknown>, change: Change): Promise<void> {
    const turn = transforming.then(() => rewrite(act, change))
    transforming = turn.catch(() => undefined)
    return turn
  }

  async function rewrite(act: () => Promise<unknown>, change: Change): Promise<void> {
    if (!history || !saver || !(await saver.flush())) return
    const before = history.present
    isHeld = true
    state.value = { kind: 'saving' }
    try {
      await act()
      const loaded = await backend.load()
      history.map((old) => change(old, loaded.doc))
      takeOver(history, change(before, loaded.doc), saver.restart(loaded))
    } finally {
      isHeld = false
      state.value = saver.state
      saver.edit(history.present)
      show()
    }
  }

  async function leave(): Promise<void> {
    if (!saver || state.value.kind === 'saved') return
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise((resolve) => (timer = setTimeout(resolve, longestLeaveMs)))
    await Promise.race([transforming.then(() => saver?.flush()), late])
    clearTimeout(timer)
  }

  onScopeDispose(() => void transforming.then(() => saver?.close()).finally(() => drafts.close()))
  return {
    doc, state, canUndo, canRedo, found, error, load, edit, resolve, takeUp, discard, transform, leave,
    close: () => history?.close(),
    undo: () => step(history?.undo()),
    redo: () => step(history?.redo()),
    save: async () => (await saver?.flush()) ?? true,
  }
}

/** The server's own figures, so that nothing is left to save but what was drawn since `before`. */
function takeOver(history: History<Doc>, before: Doc, server: Doc): void {
  history.amend(same(before, history.present) ? server : merge(before, server, history.present))
}

/** What the draft's edits come to. */
const meant = ({ pending, base, current }: Draft): Doc => (same(base, current) && pending ? apply(base, pending.op) : current)

/** Numbers are given by the server, and belong to every step; undefined: they are there already. */
function numberedAs(server: Doc, now: Doc): ((doc: Doc) => Doc) | undefined {
  const numbers = new Map(ofKind(server, 'zone').map(({ id, number }) => [id, number]))
  if (ofKind(now, 'zone').every(({ id, number }) => (numbers.get(id) ?? number) === number)) return undefined
  return (doc) => ({ ...doc, items: doc.items.map((item) => (item.kind === 'zone' ? { ...item, number: numbers.get(item.id) ?? item.number } : item)) })
}
