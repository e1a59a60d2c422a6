import { ApiError } from '@/api/errors'
import { apply, type Op } from '../changes'
import type { Draft, DraftKey, Drafts } from '../drafts'
import { type Doc, itemOf } from '../model'
import type { Author, Backend, Loaded } from '../saver'

export type Weather = 'good' | 'away' | 'lost answer'

/**
 * A server of one plan that keeps the rules of the real one: tags, If-Match for
 * changes, Idempotency-Key for what is added, and a network that fails on demand.
 */
export class PlanServer implements Backend {
  /** Every request that was carried out. */
  readonly done: Op[] = []
  readonly keys: string[] = []
  weather: Weather[] = []
  refuse: ApiError | undefined
  /** How many requests were on their way at once, at most. */
  most = 0
  private sent = 0
  private version = 1
  private readonly answers = new Map<string, string>()
  private serial = 0

  constructor(public doc: Doc) {}

  get etag(): string {
    return `"${this.version}"`
  }

  async load(): Promise<Loaded> {
    if (this.weather[0] === 'away') throw lost(this.weather)
    return { doc: this.doc, etag: this.etag }
  }

  async send(op: Op, key: string, etag: string): Promise<string | undefined> {
    const weather = this.weather.shift() ?? 'good'
    this.most = Math.max(this.most, ++this.sent)
    await Promise.resolve()
    this.sent--
    if (weather === 'away') throw new ApiError('away', 'no network')
    this.keys.push(key)
    const answer = this.carryOut(op, key, etag)
    if (weather === 'lost answer') throw new ApiError('away', 'no answer')
    return answer
  }

  async author(): Promise<Author> {
    return { by: 'Maria', at: '2026-01-02T03:04:05Z' }
  }

  /** Somebody else changes the plan. */
  foreign(change: (doc: Doc) => Doc): void {
    this.doc = change(this.doc)
    this.version++
  }

  /** The tag changes although nothing that is saved does: a receiver went off line. */
  touch(): void {
    this.version++
  }

  private carryOut(op: Op, key: string, etag: string): string | undefined {
    if (this.refuse) throw this.refuse
    if (op.kind === 'add') return this.addOnce(op, key)
    if (etag !== this.etag) throw new ApiError('stale', 'the object was changed')
    if ('part' in op && !itemOf(this.doc, op.part.id)) throw new ApiError('missing', 'no such part')
    this.put(op)
    return undefined
  }

  private addOnce(op: Extract<Op, { kind: 'add' }>, key: string): string {
    const known = this.answers.get(key)
    if (known) return known
    const id = `server ${++this.serial}`
    this.answers.set(key, id)
    const number = op.part.kind === 'zone' ? 40 + this.serial : op.part.number
    this.put({ kind: 'add', part: { ...op.part, id, number } })
    return id
  }

  private put(op: Op): void {
    this.doc = apply(this.doc, op)
    this.done.push(op)
    this.version++
  }
}

function lost(weather: Weather[]): ApiError {
  weather.shift()
  return new ApiError('away', 'no network')
}

/** Drafts as the browser keeps them: what is put there is a copy. */
export class MemoryDrafts implements Drafts {
  readonly kept = new Map<string, Draft>()

  isClosed = false

  async list(plan: string): Promise<Draft[]> {
    return [...this.kept.values()].filter((draft) => draft.plan === plan).sort((a, b) => b.at - a.at)
  }

  async put(draft: Draft): Promise<void> {
    if (this.isClosed) throw new Error('closed')
    this.kept.set(keyOf(draft), structuredClone(draft))
  }

  async remove(draft: DraftKey): Promise<void> {
    if (this.isClosed) throw new Error('closed')
    this.kept.delete(keyOf(draft))
  }

  close(): void {
    this.isClosed = true
  }
}

const keyOf = ({ plan, page }: DraftKey) => `${plan} ${page}`
