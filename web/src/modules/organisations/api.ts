import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'

/** A customer as super-admins see it. */
export interface Organisation {
  id: string
  name: string
  phone: string
  /** The owner's. */
  email: string
  products: string[]
  time_zone: string
  keep_days: number
  created_at: string
  /** Confirmed, and without a product so far. */
  pending: boolean
  devices: number
  users: number
}

export interface OrganisationQuery {
  query: string
  pending: string
}

export interface NewOrganisation {
  name: string
  email?: string
  phone?: string
  products: string[]
  time_zone?: string
  password: 'link' | 'mail'
}

export interface User {
  id: string
  email: string
  name: string
  role: string
  read_only: boolean
  disabled: boolean
  invited: boolean
  totp: boolean
  last_login?: string
  super_admin?: boolean
  organisation?: string
  organisation_id?: string
}

const of = (id: string) => ({ params: { path: { id } } })

export function fetchOrganisations(api: Api, { query, pending }: OrganisationQuery, page: PageRequest): Promise<Page<Organisation>> {
  const set = { ...(query ? { query } : {}), ...(pending ? { pending: true } : {}) }
  return bodyOf(api.GET('/api/v1/admin/organisations', { params: { query: { ...page, ...set } } }))
}

export const fetchOrganisation = (api: Api, id: string): Promise<Organisation> => bodyOf(api.GET('/api/v1/admin/organisations/{id}', of(id)))
export const createOrganisation = (api: Api, body: NewOrganisation): Promise<Organisation> => bodyOf(api.POST('/api/v1/admin/organisations', { body }))

export function changeOrganisation(api: Api, id: string, body: Partial<Pick<Organisation, 'name' | 'phone' | 'products' | 'time_zone' | 'keep_days'>>): Promise<Organisation> {
  return bodyOf(api.PATCH('/api/v1/admin/organisations/{id}', { ...of(id), body }))
}

export function fetchMembers(api: Api, id: string, page: PageRequest): Promise<Page<User>> {
  return bodyOf(api.GET('/api/v1/admin/organisations/{id}/users', { params: { path: { id }, query: page } }))
}

export function fetchUsers(api: Api, query: string, page: PageRequest): Promise<Page<User>> {
  return bodyOf(api.GET('/api/v1/admin/users', { params: { query: { ...page, ...(query ? { query } : {}) } } }))
}

export const setDisabled = (api: Api, id: string, disabled: boolean) => bodyOf(api.PATCH('/api/v1/admin/users/{id}', { ...of(id), body: { disabled } }))
export const sendReset = (api: Api, id: string) => bodyOf(api.POST('/api/v1/admin/users/{id}/reset', of(id)))

export async function fetchProducts(api: Api): Promise<string[]> {
  return (await bodyOf(api.GET('/api/v1/admin/products', {}))).items.map(({ id }: { id: string }) => id)
}
