import { allPages, type Api, bodyOf } from '@/api/client'
import type { Invitation, Key, NewKey, OwnOrganisation, Person, PersonChange, Rights } from '@/api/types'
import type { Page, PageRequest } from '@/kit/data/types'

export const roles = ['owner', 'admin', 'manager', 'operator', 'viewer'] as const

export type Role = (typeof roles)[number]

/** The right to one location. */
export interface Grant {
  id: string
  write: boolean
}

export interface LocationName {
  id: string
  name: string
}

const of = (id: string) => ({ params: { path: { id } } })

export function fetchPeople(api: Api, query: { query: string; role: string }, page: PageRequest): Promise<Page<Person>> {
  const set = { ...(query.query ? { query: query.query } : {}), ...(query.role ? { role: query.role as Role } : {}) }
  return bodyOf(api.GET('/api/v1/client/users', { params: { query: { ...page, ...set } } }))
}

export const invite = (api: Api, body: Invitation) => bodyOf(api.POST('/api/v1/client/users', { body }))
export const changePerson = (api: Api, id: string, body: PersonChange) => bodyOf(api.PATCH('/api/v1/client/users/{id}', { ...of(id), body }))
export const removePerson = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/users/{id}', of(id)))
export const inviteAgain = (api: Api, id: string) => bodyOf(api.POST('/api/v1/client/users/{id}/invitation', of(id)))

export const fetchRights = (api: Api): Promise<Rights> => bodyOf(api.GET('/api/v1/client/rights', {}))

export const fetchKeys = (api: Api, page: PageRequest): Promise<Page<Key>> => bodyOf(api.GET('/api/v1/client/keys', { params: { query: page } }))
export const deleteKey = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/keys/{id}', of(id)))

/** The key itself; the server shows it this once. */
export async function createKey(api: Api, body: NewKey): Promise<string> {
  return (await bodyOf(api.POST('/api/v1/client/keys', { body }))).key ?? ''
}

export const fetchOrganisation = (api: Api): Promise<OwnOrganisation> => bodyOf(api.GET('/api/v1/client/organisation', {}))
export const changeOrganisation = (api: Api, body: Partial<Pick<OwnOrganisation, 'name' | 'phone' | 'time_zone'>>) => bodyOf(api.PATCH('/api/v1/client/organisation', { body }))

/** Every location that may be given to somebody. */
export function fetchLocationNames(api: Api, organisation?: string): Promise<LocationName[]> {
  const own = organisation ? { organisation_id: organisation } : {}
  return allPages(async (cursor) => {
    const { items, next } = await bodyOf(api.GET('/api/v1/client/locations', { params: { query: { limit: 200, cursor, ...own } } }))
    return { items: items.map(({ id, name }) => ({ id, name })), next }
  })
}
