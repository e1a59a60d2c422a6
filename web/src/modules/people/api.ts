import { allPages, type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'

export const roles = ['owner', 'admin', 'manager', 'operator', 'viewer'] as const

/** The right to one location. */
export interface Grant {
  id: string
  write: boolean
}

export interface Person {
  id: string
  email: string
  name: string
  role: string
  read_only: boolean
  disabled: boolean
  /** Has not taken up the invitation yet. */
  invited: boolean
  totp: boolean
  last_login?: string
  /** Only the locations listed, not those of the role. */
  limited: boolean
  locations: (Grant & { name: string })[]
}

export interface PersonChange {
  name?: string
  role?: string
  read_only?: boolean
  disabled?: boolean
  /** null: by the role. */
  locations?: Grant[] | null
}

export interface Key {
  id: string
  name: string
  prefix: string
  actions: string[]
  limited: boolean
  locations: (Grant & { name: string })[]
  created_at: string
  expires_at: string
  last_used?: string
}

export interface NewKey {
  name: string
  actions: string[]
  locations?: Grant[]
  expires_in_days: number
}

/** The customer's table: what each role may do. */
export interface Rights {
  actions: string[]
  roles: { role: string; actions: string[] }[]
}

export interface Organisation {
  id: string
  name: string
  time_zone: string
  phone: string
}

export interface LocationName {
  id: string
  name: string
}

const of = (id: string) => ({ params: { path: { id } } })

export function fetchPeople(api: Api, query: { query: string; role: string }, page: PageRequest): Promise<Page<Person>> {
  const set = { ...(query.query ? { query: query.query } : {}), ...(query.role ? { role: query.role } : {}) }
  return bodyOf(api.GET('/api/v1/client/users', { params: { query: { ...page, ...set } } }))
}

export const invite = (api: Api, body: PersonChange & { email: string; role: string }) => bodyOf(api.POST('/api/v1/client/users', { body }))
export const changePerson = (api: Api, id: string, body: PersonChange) => bodyOf(api.PATCH('/api/v1/client/users/{id}', { ...of(id), body }))
export const removePerson = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/users/{id}', of(id)))
export const inviteAgain = (api: Api, id: string) => bodyOf(api.POST('/api/v1/client/users/{id}/invitation', of(id)))

export const fetchRights = (api: Api): Promise<Rights> => bodyOf(api.GET('/api/v1/client/rights', {}))

export const fetchKeys = (api: Api, page: PageRequest): Promise<Page<Key>> => bodyOf(api.GET('/api/v1/client/keys', { params: { query: page } }))
export const deleteKey = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/keys/{id}', of(id)))

/** The key itself; the server shows it this once. */
export async function createKey(api: Api, body: NewKey): Promise<string> {
  return (await bodyOf(api.POST('/api/v1/client/keys', { body }))).key
}

export const fetchOrganisation = (api: Api): Promise<Organisation> => bodyOf(api.GET('/api/v1/client/organisation', {}))
export const changeOrganisation = (api: Api, body: Partial<Omit<Organisation, 'id'>>) => bodyOf(api.PATCH('/api/v1/client/organisation', { body }))

/** Every location that may be given to somebody. */
export function fetchLocationNames(api: Api, organisation?: string): Promise<LocationName[]> {
  const own = organisation ? { organisation_id: organisation } : {}
  return allPages(async (cursor) => {
    const { items, next } = await bodyOf(api.GET('/api/v1/client/locations', { params: { query: { limit: 200, cursor, ...own } } }))
    return { items: items.map(({ id, name }) => ({ id, name })), next }
  })
}
