import { shallowRef } from 'vue'
import { apply, same } from '../editor/changes'
import type { Draft, Drafts } from '../editor/drafts'
import { fromServer } from '../editor/identity'
import type { Doc } from '../editor/model'

/** Edits of other pages that the server does not have, offered newest first. */
export class Offers {
  readonly found = shallowRef<Draft>()
  private older: readonly Draft[] = []

  constructor(private readonly drafts: Drafts) {}

  /** Offers what of the drafts has not arrived; the others are not needed any more. */
  start(kept: readonly Draft[], server: Doc): void {
    const hasArrived = (draft: Draft) => same(fromServer(server, draft.ids), meant(draft))
    kept.filter(hasArrived).forEach((draft) => this.forget(draft))
    this.offer(kept.filter((draft) => !hasArrived(draft)))
  }

  /** Offers no more on this page; another one may ask again. */
  end(): void {
    this.offer([])
  }

  discard(): void {
    if (this.found.value) this.forget(this.found.value)
    this.offer(this.older)
  }

  private offer([newest, ...older]: readonly Draft[]): void {
    this.found.value = newest
    this.older = older
  }

  private forget(draft: Draft): void {
    void this.drafts.remove(draft).catch(() => undefined)
  }
}

/** What the draft's edits come to. */
const meant = ({ pending, base, current }: Draft): Doc => (same(base, current) && pending ? apply(base, pending.op) : current)
