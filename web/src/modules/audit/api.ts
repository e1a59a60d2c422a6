import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'
import type { Entry, Verification } from './types'

/** Whose log is read: one's own organisation's, those of all, or the server's own. */
export type Log = 'own' | 'all' | 'system'

export interface AuditQuery {
  user?: string
  action?: Entry['action']
  from?: string
  to?: string
  query?: string
  organisation_id?: string
}

export function fetchEntries(api: Api, log: Log, { organisation_id, ...query }: AuditQuery, page: PageRequest): Promise<Page<Entry>> {
  if (log === 'own') return bodyOf(api.GET('/api/v1/client/audit', { params: { query: { ...query, ...page } } }))
  return bodyOf(api.GET('/api/v1/admin/audit', { params: { query: { ...query, ...page, organisation_id, system: log === 'system' } } }))
}

/** Where the browser saves the log from; the same filters hold. */
export function exportAddress(log: Log, format: 'csv' | 'txt', query: AuditQuery, language: string): string {
  const given = Object.entries({ ...query, format, lang: language }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (log === 'system') given.push(['system', 'true'])
  return `/api/v1/${log === 'own' ? 'client' : 'admin'}/audit/export?${new URLSearchParams(given)}`
}

/** Reads every chain and says which entries are not as they were written. */
export const verifyAll = (api: Api): Promise<Verification> => bodyOf(api.POST('/api/v1/admin/audit/verify'))
