import { computed, type ComputedRef, onScopeDispose, type Ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { ListState, Page, PageRequest } from './types'

export interface UsePagedOptions<Row, Query> {
  load: (query: Query, page: PageRequest) => Promise<Page<Row>>
  /** Filters and order; a change leads back to the first page. */
  query: MaybeRefOrGetter<Query>
  limit?: number
  /** Milliseconds between two quiet refreshes; none without. */
  refreshMs?: number
}

export interface UsePagedReturn<Row> {
  items: Readonly<Ref<readonly Row[]>>
  state: Readonly<Ref<ListState>>
  error: Readonly<Ref<unknown>>
  limit: Ref<number>
  /** From 1. */
  page: ComputedRef<number>
  hasNext: ComputedRef<boolean>
  hasPrevious: ComputedRef<boolean>
  next: () => Promise<void>
  previous: () => Promise<void>
  /** Reads the page again and says so. */
  reload: () => Promise<void>
  /** Reads the page again without a sign of it; a failure keeps what there is. */
  refresh: () => Promise<void>
  /** Puts a changed row in the place of the old one. */
  replace: (change: (row: Row) => Row) => void
}

/**
 * A list read page by page. Cursors lead forward only, so the ones already used
 * are kept for the way back. An overtaken answer is dropped: each question has
 * a generation number.
 */
export function usePaged<Row, Query>(options: UsePagedOptions<Row, Query>): UsePagedReturn<Row> {
  const items = shallowRef<readonly Row[]>([])
  const state = shallowRef<ListState>('loading')
  const error = shallowRef<unknown>()
  const limit = shallowRef(options.limit ?? 50)
  const cursors = shallowRef<readonly string[]>([''])
  const following = shallowRef('')
  let generation = 0

  const ask = () => options.load(toValue(options.query), { limit: limit.value, cursor: cursors.value.at(-1) || undefined })

  function take(answer: Page<Row>) {
    items.value = answer.items
    following.value = answer.next
    error.value = undefined
    state.value = 'ready'
  }

  async function reload(): Promise<void> {
    const mine = ++generation
    state.value = 'loading'
    try {
      const answer = await ask()
      if (mine === generation) take(answer)
    } catch (cause) {
      if (mine !== generation) return
      error.value = cause
      state.value = 'failed'
    }
  }

  async function refresh(): Promise<void> {
    // A question that is on its way brings newer rows than this one would.
    if (state.value !== 'ready') return
    const mine = generation
    const answer = await ask().catch(() => undefined)
    if (answer && mine === generation) take(answer)
  }

  function go(to: readonly string[]): Promise<void> {
    cursors.value = to
    return reload()
  }

  async function next(): Promise<void> {
    if (following.value) await go([...cursors.value, following.value])
  }

  async function previous(): Promise<void> {
    if (cursors.value.length > 1) await go(cursors.value.slice(0, -1))
  }

  watch([() => JSON.stringify(toValue(options.query)), () => limit.value], () => void go(['']), { immediate: true })
  if (options.refreshMs) {
    const timer = setInterval(() => !document.hidden && void refresh(), options.refreshMs)
    onScopeDispose(() => clearInterval(timer))
  }
  onScopeDispose(() => generation++)

  return {
    items, state, error, limit, next, previous, reload, refresh,
    page: computed(() => cursors.value.length),
    hasNext: computed(() => following.value !== ''),
    hasPrevious: computed(() => cursors.value.length > 1),
    replace: (change) => (items.value = items.value.map(change)),
  }
}
