import { computed, type ComputedRef } from 'vue'
import { useApi } from '@/api/client'
import { oneOf, text, useFilters, type UseFiltersReturn } from '@/kit/data/useFilters'
import { usePaged, type UsePagedReturn } from '@/kit/data/usePaged'
import { fetchTags, type TagQuery } from '../api'
import { lowBattery, type Tag, tagTypes } from '../types'

export type TagFilter = 'name' | 'state' | 'type' | 'location' | 'battery' | 'bound'

export const states = ['active', 'silent', 'never'] as const

const kinds = { name: text, state: oneOf(...states), type: oneOf(...tagTypes), location: text, battery: oneOf('low'), bound: oneOf('yes', 'no') }

// Places and states of the rows on the screen.
const refreshMs = 5000

export interface UseTagListReturn {
  filters: UseFiltersReturn<TagFilter>
  paged: UsePagedReturn<Tag>
  query: ComputedRef<TagQuery>
}

/** The list of tags behind its filters, brought up to date every few seconds. */
export function useTagList(): UseTagListReturn {
  const api = useApi()
  const filters = useFilters<TagFilter>(kinds)

  const query = computed<TagQuery>(() => {
    const of = (key: TagFilter) => filters.values.value[key] || undefined
    const bound = of('bound')
    return {
      name: of('name'), state: of('state') as TagQuery['state'], type: of('type') as TagQuery['type'], location: of('location'),
      battery_below: of('battery') === undefined ? undefined : lowBattery,
      unbound: bound === undefined ? undefined : bound === 'no' ? 'true' : 'false',
    }
  })
  const paged = usePaged({ load: (asked: TagQuery, page) => fetchTags(api, asked, page), query, refreshMs })
  return { filters, paged, query }
}
