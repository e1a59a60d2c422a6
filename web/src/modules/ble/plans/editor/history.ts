/** How many steps can be taken back; documents share what they have in common. */
export const maxSteps = 500

/**
 * States that lead back and forth. Steps with the same key, one after the other,
 * become one: a drag or a held arrow key is undone at once.
 */
export class History<T> {
  private past: T[] = []
  private future: T[] = []
  private key = ''

  constructor(private now: T, private readonly limit = maxSteps) {}

  get present(): T {
    return this.now
  }

  get canUndo(): boolean {
    return this.past.length > 0
  }

  get canRedo(): boolean {
    return this.future.length > 0
  }

  get steps(): number {
    return this.past.length
  }

  push(state: T, key = ''): void {
    if (state === this.now) return
    if (key === '' || key !== this.key) {
      this.past.push(this.now)
      if (this.past.length > this.limit) this.past.shift()
    }
    this.key = key
    this.now = state
    this.future = []
  }

  /** Puts another state in the place of the present one, which is no step. */
  amend(state: T): void {
    this.now = state
    this.key = ''
  }

  /** Ends the step: what comes next with the same key is another one. */
  close(): void {
    this.key = ''
  }

  undo(): boolean {
    return this.step(this.past, this.future)
  }

  redo(): boolean {
    return this.step(this.future, this.past)
  }

  /** Changes every state alike: for what cannot be undone, such as a new scale. */
  map(change: (state: T) => T): void {
    this.past = this.past.map(change)
    this.future = this.future.map(change)
    this.now = change(this.now)
    this.key = ''
  }

  private step(from: T[], to: T[]): boolean {
    this.key = ''
    const next = from.pop()
    if (next === undefined) return false
    to.push(this.now)
    this.now = next
    return true
  }
}
