import { type Api, bodyOf } from '@/api/client'
import type { NewOrganisation, Organisation, OrganisationChange, Person } from '@/api/types'
import type { Page, PageRequest } from '@/kit/data/types'

export interface OrganisationQuery {
  query: string
  pending: string
}

const of = (id: string) => ({ params: { path: { id } } })

export function fetchOrganisations(api: Api, { query, pending }: OrganisationQuery, page: PageRequest): Promise<Page<Organisation>> {
  const set = { ...(query ? { query } : {}), ...(pending ? { pending: true } : {}) }
  return bodyOf(api.GET('/api/v1/admin/organisations', { params: { query: { ...page, ...set } } }))
}

export const fetchOrganisation = (api: Api, id: string): Promise<Organisation> => bodyOf(api.GET('/api/v1/admin/organisations/{id}', of(id)))
export const createOrganisation = (api: Api, body: NewOrganisation): Promise<Organisation> => bodyOf(api.POST('/api/v1/admin/organisations', { body }))

export function changeOrganisation(api: Api, id: string, body: OrganisationChange): Promise<Organisation> {
  return bodyOf(api.PATCH('/api/v1/admin/organisations/{id}', { ...of(id), body }))
}

export function fetchMembers(api: Api, id: string, page: PageRequest): Promise<Page<Person>> {
  return bodyOf(api.GET('/api/v1/admin/organisations/{id}/users', { params: { path: { id }, query: page } }))
}

export function fetchUsers(api: Api, query: string, page: PageRequest): Promise<Page<Person>> {
  return bodyOf(api.GET('/api/v1/admin/users', { params: { query: { ...page, ...(query ? { query } : {}) } } }))
}

export const setDisabled = (api: Api, id: string, disabled: boolean) => bodyOf(api.PATCH('/api/v1/admin/users/{id}', { ...of(id), body: { disabled } }))
export const sendReset = (api: Api, id: string) => bodyOf(api.POST('/api/v1/admin/users/{id}/reset', of(id)))

export async function fetchProducts(api: Api): Promise<string[]> {
  return ((await bodyOf(api.GET('/api/v1/admin/products', {}))) ?? []).map(({ id }) => id)
}
