import { type Failure, failureOf } from '@/api/errors'
import { apply, diff, merge, type Op, same } from './changes'
import type { Draft, DraftKey, Drafts, Pending } from './drafts'
import type { Doc } from './model'
import { fromServer, toServer } from './identity'

/** A plan as the server has it, with the tag that a change names. */
export interface Loaded {
  doc: Doc
  etag: string
}

/** Who changed the plan last, for the person to decide. */
export interface Author {
  by: string
  at: string
}

/** The server, as far as saving needs it. Failures are ApiErrors. */
export interface Backend {
  load: () => Promise<Loaded>
  /** Gives the id of what was added. */
  send: (op: Op, key: string, etag: string) => Promise<string | undefined>
  author: () => Promise<Author | undefined>
}

export type SaveState =
  | { kind: 'saved' }
  | { kind: 'dirty' }
  | { kind: 'saving' }
  /** Nothing arrived; it is tried again by itself. */
  | { kind: 'waiting'; failure: Failure }
  /** Somebody else changed the plan: the person decides. */
  | { kind: 'conflict'; author: Author | undefined }
  /** The server does not take it as it is. */
  | { kind: 'refused'; op: Op; error: unknown }

export interface SaverOptions extends DraftKey {
  backend: Backend
  drafts: Drafts
  start: Loaded
  onState: (state: SaveState) => void
  /** The server's document after each save: it gives numbers. */
  onServer: (doc: Doc) => void
  newKey?: () => string
  now?: () => number
}

/** How long the person must rest before it is saved, milliseconds. */
export const restMs = 700
const firstRetryMs = 2000
const lastRetryMs = 30_000
// Of 412 without a change of what counts: a receiver went off line, say.
const maxRereads = 4

const passing: readonly Failure[] = ['away', 'limited', 'failed', 'unauthorised']

/**
 * Brings edits to the server, one request after the other. What is sent has a key
 * and is kept in the draft until its answer came; after silence the same request is
 * sent again, and what the server has is compared with what was meant, so that
 * nothing is done twice. Methods never throw; `onState` tells how things stand.
 */
export class Saver {
  private base: Doc
  private etag: string
  private current: Doc
  private theirs: Loaded | undefined
  private ids: Record<string, string> = {}
  private pending: Pending | undefined
  private set = { key: '', next: 0 }
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | undefined
  private writing: Promise<void> = Promise.resolve()
  private delayMs = firstRetryMs
  private isClosed = false
  state: SaveState = { kind: 'saved' }

  constructor(private readonly options: SaverOptions) {
    this.base = options.start.doc
    this.current = options.start.doc
    this.etag = options.start.etag
  }

  /** Takes up edits of an earlier page where they were left. */
  resume(draft: Draft): void {
    this.base = draft.base
    this.etag = draft.etag
    this.ids = { ...draft.ids }
    this.pending = draft.pending
    this.current = draft.current
    void this.keep(draft)
    void this.flush()
  }

  /** The document is this now; it is saved when the person rests. */
  edit(doc: Doc): void {
    this.current = doc
    if (this.state.kind === 'conflict') return void this.keep()
    if (!this.pending && same(this.base, doc)) {
      clearTimeout(this.timer)
      if (!this.running) this.settle()
      return
    }
    void this.keep()
    if (this.state.kind === 'saved' || this.state.kind === 'refused') this.tell({ kind: 'dirty' })
    if (this.state.kind !== 'waiting') this.schedule(restMs)
  }

  /** Saves at once; true when everything has arrived. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer)
    // Whoever waited with others looks again: one of them may have begun already.
    while (this.running) await this.running
    if (this.state.kind !== 'conflict' && !this.isClosed) await this.begin()
    return this.state.kind === 'saved'
  }

  /** Ends a conflict: gives the document that counts now. */
  resolve(choice: 'theirs' | 'mine'): Doc {
    const theirs = this.theirs ?? { doc: this.base, etag: this.etag }
    this.current = choice === 'mine' ? merge(this.base, theirs.doc, this.current) : theirs.doc
    this.rebase(theirs)
    this.tell({ kind: 'dirty' })
    void this.keep().then(() => this.flush())
    return this.current
  }

  /** What the server has is this: the saver was told by a way of its own, such as a new scale. */
  restart(start: Loaded): Doc {
    const doc = fromServer(start.doc, this.ids)
    this.rebase({ doc, etag: start.etag })
    this.current = doc
    this.settle()
    return doc
  }

  /** The last attempt: brings what there is as far as the server takes it; the rest stays in the draft. */
  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.timer)
    if (this.state.kind === 'dirty' && !this.running) void this.begin()
    await this.running
    await this.writing
  }

  private begin(): Promise<void> {
    this.running = this.run().finally(() => (this.running = undefined))
    return this.running
  }

  private rebase({ doc, etag }: Loaded): void {
    this.base = doc
    this.etag = etag
    this.pending = undefined
    this.theirs = undefined
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer)
    if (!this.isClosed) this.timer = setTimeout(() => void this.flush(), ms)
  }

  private async run(): Promise<void> {
    try {
      for (let op = this.nextOp(); op; op = this.nextOp()) {
        if (this.state.kind !== 'saving') this.tell({ kind: 'saving' })
        await this.keep()
        if (!(await this.bring(op))) return
      }
      this.settle()
    } catch (error) {
      this.fail(error)
    }
  }

  private nextOp(): Pending | undefined {
    if (this.pending) return this.pending
    const op = diff(this.base, this.current)[0]
    if (!op) return undefined
    if (!this.set.key) this.set = { key: (this.options.newKey ?? (() => crypto.randomUUID()))(), next: 0 }
    this.pending = { op, key: `${this.set.key}.${this.set.next++}` }
    return this.pending
  }

  /** False when the person has to decide first. */
  private async bring({ op, key }: Pending): Promise<boolean> {
    for (let reads = 0; ; reads++) {
      try {
        const id = await this.options.backend.send(toServer(op, this.ids), key, this.etag)
        if (id && op.kind === 'add') this.ids[op.part.id] = id
        break
      } catch (error) {
        if (isGone(op, error)) break
        if (failureOf(error) !== 'stale' || reads >= maxRereads) throw error
        const known = await this.reread(op)
        if (known === 'done') return true
        if (known === 'other') return false
      }
    }
    return this.done(op)
  }

  /** After 412: was it only the tag, was it done already, or was somebody else there? */
  private async reread(op: Op): Promise<'same' | 'done' | 'other'> {
    const loaded = await this.load()
    this.etag = loaded.etag
    if (same(loaded.doc, this.base)) return 'same'
    if (same(loaded.doc, apply(this.base, op))) {
      this.accept(loaded, op)
      return 'done'
    }
    await this.clash(loaded)
    return 'other'
  }

  private async done(op: Op): Promise<boolean> {
    this.base = apply(this.base, op)
    this.pending = undefined
    this.delayMs = firstRetryMs
    // Until it is read anew the old tag stands, and leads to a 412 that is understood.
    await this.keep()
    const loaded = await this.load()
    if (same(loaded.doc, this.base)) {
      this.accept(loaded)
      return true
    }
    await this.clash(loaded)
    return false
  }

  private accept(loaded: Loaded, op?: Op): void {
    if (op) this.base = apply(this.base, op)
    this.etag = loaded.etag
    this.pending = undefined
    this.options.onServer(loaded.doc)
  }

  private async clash(loaded: Loaded): Promise<void> {
    this.theirs = loaded
    this.tell({ kind: 'conflict', author: await this.options.backend.author().catch(() => undefined) })
  }

  private async load(): Promise<Loaded> {
    const { doc, etag } = await this.options.backend.load()
    return { doc: fromServer(doc, this.ids), etag }
  }

  private fail(error: unknown): void {
    const failure = failureOf(error)
    const op = this.pending?.op
    if (op && !passing.includes(failure)) {
      this.pending = undefined
      this.tell({ kind: 'refused', op, error })
      return
    }
    this.tell({ kind: 'waiting', failure })
    this.schedule(this.delayMs)
    this.delayMs = Math.min(this.delayMs * 2, lastRetryMs)
  }

  private settle(): void {
    this.set = { key: '', next: 0 }
    this.delayMs = firstRetryMs
    this.tell({ kind: 'saved' })
    void this.write(() => this.options.drafts.remove(this.options))
  }

  private tell(state: SaveState): void {
    this.state = state
    this.options.onState(state)
  }

  /** Writes the draft, in the place of another one; a browser that keeps nothing does not stop the saving. */
  private keep(other?: DraftKey): Promise<void> {
    const { base, etag, current, ids, pending, options: { plan, page, drafts } } = this
    const at = (this.options.now ?? Date.now)()
    const draft = { plan, page, base, etag, current, ids: { ...ids }, at, ...(pending ? { pending } : {}) }
    return this.write(async () => {
      await drafts.put(draft)
      if (other && other.page !== page) await drafts.remove(other)
    })
  }

  private write(what: () => Promise<void>): Promise<void> {
    this.writing = this.writing.then(what).catch(() => undefined)
    return this.writing
  }
}

/** To take away what is gone already is done. */
function isGone(op: Op, error: unknown): boolean {
  return op.kind === 'remove' && failureOf(error) === 'missing'
}
