import { computed, type ComputedRef, type Ref, shallowRef } from 'vue'

export interface UseSelectionReturn {
  ids: Readonly<Ref<ReadonlySet<string>>>
  count: ComputedRef<number>
  has: (id: string) => boolean
  toggle: (id: string) => void
  /** Selects from the row that was toggled last to this one, in the order given. */
  extend: (id: string, order: readonly string[]) => void
  /** How much of a page is selected. */
  shareOf: (page: readonly string[]) => 'none' | 'some' | 'all'
  /** Selects the page, or lets go of it when all of it is selected. */
  togglePage: (page: readonly string[]) => void
  clear: () => void
}

/** Chosen rows by id; they stay chosen while the list is paged. */
export function useSelection(): UseSelectionReturn {
  const ids = shallowRef<ReadonlySet<string>>(new Set())
  let anchor = ''

  const has = (id: string) => ids.value.has(id)

  function toggle(id: string) {
    const next = new Set(ids.value)
    if (!next.delete(id)) next.add(id)
    ids.value = next
    anchor = id
  }

  function extend(id: string, order: readonly string[]) {
    const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b)
    if (from === undefined || to === undefined || from < 0) return toggle(id)
    ids.value = new Set([...ids.value, ...order.slice(from, to + 1)])
    anchor = id
  }

  function shareOf(page: readonly string[]) {
    const chosen = page.filter(has).length
    if (chosen === 0) return 'none'
    return chosen === page.length ? 'all' : 'some'
  }

  function togglePage(page: readonly string[]) {
    const next = new Set(ids.value)
    const isWhole = shareOf(page) === 'all'
    for (const id of page) {
      if (isWhole) next.delete(id)
      else next.add(id)
    }
    ids.value = next
  }

  const clear = () => (ids.value = new Set())
  return { ids, count: computed(() => ids.value.size), has, toggle, extend, shareOf, togglePage, clear }
}
