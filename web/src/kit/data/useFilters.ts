import { computed, type ComputedRef, shallowRef, watch } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'

/** Reads a filter out of the address; what it does not accept counts as not set. */
export type FilterKind = (text: string) => string

export const text: FilterKind = (value) => value.trim().slice(0, 200)
export const oneOf = (...allowed: readonly string[]): FilterKind => (value) => (allowed.includes(value) ? value : '')
/** A day as 2024-01-31 that exists. */
export const day: FilterKind = (value) => {
  const time = Date.parse(`${value}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(value) ? value : ''
}

export interface UseFiltersReturn<Key extends string> {
  /** Every filter; empty: not set. */
  values: ComputedRef<Readonly<Record<Key, string>>>
  /** The ones that are set. */
  active: ComputedRef<Key[]>
  isFiltered: ComputedRef<boolean>
  set: (change: Partial<Record<Key, string>>) => void
  clear: () => void
}

/**
 * Filters that live in the address, so that a link shows what its sender saw.
 * Other parts of the address stay as they are.
 */
export function useFilters<Key extends string>(kinds: Record<Key, FilterKind>): UseFiltersReturn<Key> {
  const route = useRoute()
  const router = useRouter()
  const keys = Object.keys(kinds) as Key[]
  const path = route.path

  const read = (query: LocationQuery) =>
    Object.fromEntries(keys.map((key) => [key, kinds[key](typeof query[key] === 'string' ? query[key] : '')])) as Record<Key, string>

  // Ahead of the address by one navigation: two changes at once are both kept.
  const values = shallowRef(read(route.query))
  watch(() => route.query, (query) => {
    // On the way out the address belongs to the next room already.
    if (route.path === path) values.value = read(query)
  })

  function set(change: Partial<Record<Key, string>>) {
    const next = { ...values.value }
    for (const key of keys) if (change[key] !== undefined) next[key] = kinds[key](change[key])
    if (keys.every((key) => next[key] === values.value[key])) return
    values.value = next
    const own = Object.fromEntries(keys.map((key) => [key, next[key] || undefined]))
    void router.replace({ query: { ...route.query, ...own }, hash: route.hash })
  }

  const active = computed(() => keys.filter((key) => values.value[key] !== ''))
  return {
    values: computed(() => values.value),
    active,
    isFiltered: computed(() => active.value.length > 0),
    set,
    clear: () => set(Object.fromEntries(keys.map((key) => [key, ''])) as Record<Key, string>),
  }
}
