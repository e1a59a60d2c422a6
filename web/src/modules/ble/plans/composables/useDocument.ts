import { onScopeDispose, type Ref, shallowRef } from 'vue'
import { merge, same } from '../editor/changes'
import { type Draft, type Drafts } from '../editor/drafts'
import { type Doc, ofKind } from '../editor/model'
import { type Backend, type Loaded, Saver, type SaveState } from '../editor/saver'
import { Offers } from './offers'
import { Steps } from './steps'

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
  const steps = new Steps()
  const offers = new Offers(drafts)
  const state = shallowRef<SaveState>({ kind: 'saved' })
  const error = shallowRef<unknown>()
  let saver: Saver | undefined
  let transforming: Promise<void> = Promise.resolve()
  // While the whole plan changes, edits wait: sent now, they would meet it half way.
  let isHeld = false

  function start(loaded: Loaded) {
    steps.start(loaded.doc)
    saver = new Saver({ plan, page, backend, drafts, start: loaded, onState: (now) => (state.value = now), onServer: adopt })
  }

  function adopt(server: Doc) {
    const numbered = steps.present && numberedAs(server, steps.present)
    if (numbered) steps.map(numbered)
  }

  async function load(): Promise<void> {
    error.value = undefined
    try {
      const [loaded, kept] = await Promise.all([backend.load(), drafts.list(plan).catch(() => [])])
      start(loaded)
      offers.start(kept, loaded.doc)
    } catch (cause) {
      error.value = cause
    }
  }

  function save() {
    if (steps.present && !isHeld) saver?.edit(steps.present)
  }

  function edit(next: Doc, key = '') {
    if (!steps.present || next === steps.present) return
    // Whoever goes on drawing has decided against the earlier edits, for now.
    offers.end()
    steps.push(next, key)
    save()
  }

  function takeUp() {
    const draft = offers.found.value
    if (!draft || !saver || isHeld) return
    offers.end()
    steps.push(draft.current)
    saver.resume(draft)
  }

  /** One after the other. */
  function transform(act: () => Promise<unknown>, change: Change): Promise<void> {
    const turn = transforming.then(() => rewrite(act, change))
    transforming = turn.catch(() => undefined)
    return turn
  }

  async function rewrite(act: () => Promise<unknown>, change: Change): Promise<void> {
    if (!saver || !(await saver.flush()) || !steps.present) return
    const before = steps.present
    isHeld = true
    state.value = { kind: 'saving' }
    try {
      await act()
      const loaded = await backend.load()
      steps.map((old) => change(old, loaded.doc))
      steps.amend(upon(saver.restart(loaded), change(before, loaded.doc), steps.present))
    } finally {
      isHeld = false
      state.value = saver.state
      save()
    }
  }

  onScopeDispose(() => void transforming.then(() => saver?.close()).finally(() => drafts.close()))
  return {
    doc: steps.doc, canUndo: steps.canUndo, canRedo: steps.canRedo, found: offers.found, state, error, load, edit, takeUp, transform,
    close: () => steps.close(),
    undo: () => steps.go('undo') && save(),
    redo: () => steps.go('redo') && save(),
    save: async () => (await saver?.flush()) ?? true,
    leave: () => (state.value.kind === 'saved' ? Promise.resolve() : atMost(longestLeaveMs, transforming.then(() => saver?.flush()))),
    resolve: (choice) => saver && steps.push(saver.resolve(choice)),
    discard: () => offers.discard(),
  }
}

/** The server's own figures, so that nothing is left to save but what was drawn since `before`. */
const upon = (server: Doc, before: Doc, now: Doc): Doc => (same(before, now) ? server : merge(before, server, now))

/** Waits for something, but not for longer than that. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** Numbers are given by the server, and belong to every step; undefined: they are there already. */
function numberedAs(server: Doc, now: Doc): ((doc: Doc) => Doc) | undefined {
  const numbers = new Map(ofKind(server, 'zone').map(({ id, number }) => [id, number]))
  if (ofKind(now, 'zone').every(({ id, number }) => (numbers.get(id) ?? number) === number)) return undefined
  return (doc) => ({ ...doc, items: doc.items.map((item) => (item.kind === 'zone' ? { ...item, number: numbers.get(item.id) ?? item.number } : item)) })
}
