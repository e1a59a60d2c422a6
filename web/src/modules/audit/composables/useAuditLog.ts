import { computed, type ComputedRef, type MaybeRefOrGetter, toValue } from 'vue'
import { useApi } from '@/api/client'
import { day, oneOf, text, useFilters, type UseFiltersReturn } from '@/kit/data/useFilters'
import { usePaged, type UsePagedReturn } from '@/kit/data/usePaged'
import { type AuditQuery, fetchEntries, type Log } from '../api'
import { rangeOf } from '../range'
import { actions, type Entry } from '../types'

export type AuditFilter = 'query' | 'user' | 'action' | 'from' | 'to' | 'organisation'

const kinds = { query: text, user: text, action: oneOf(...actions), from: day, to: day, organisation: text }

export interface UseAuditLogReturn {
  filters: UseFiltersReturn<AuditFilter>
  query: ComputedRef<AuditQuery>
  paged: UsePagedReturn<Entry>
}

/** A log behind its filters, newest first. */
export function useAuditLog(log: MaybeRefOrGetter<Log>): UseAuditLogReturn {
  const api = useApi()
  const filters = useFilters<AuditFilter>(kinds)
  const query = computed<AuditQuery>(() => {
    const { query: words, user, action, from, to, organisation } = filters.values.value
    return {
      query: words || undefined, user: user || undefined, action: (action || undefined) as AuditQuery['action'],
      organisation_id: (toValue(log) === 'all' && organisation) || undefined, ...rangeOf(from, to),
    }
  })
  const paged = usePaged({
    load: ({ log: whose, ...asked }, page) => fetchEntries(api, whose, asked, page),
    query: () => ({ ...query.value, log: toValue(log) }),
  })
  return { filters, query, paged }
}
