import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'
import type { Binding, BulkResult, Claim, Device, DeviceConfig, DeviceStatus, ImportResult, VersionedConfig } from './types'

export interface DeviceQuery {
  query?: string
  status?: 'online' | 'offline' | 'never'
  location_id?: string
  organisation_id?: string
  number?: number
  mac?: string
  bound?: 'true' | 'false'
}

type ClientQuery = Omit<DeviceQuery, 'organisation_id' | 'bound'>

/** Devices of one's own organisation; with `everywhere`, of all, for super-admins. */
export function fetchDevices(api: Api, everywhere: boolean, query: DeviceQuery, page: PageRequest): Promise<Page<Device>> {
  if (everywhere) return bodyOf(api.GET('/api/v1/admin/devices', { params: { query: { ...query, ...page } } }))
  return bodyOf(api.GET('/api/v1/client/devices', { params: { query: { ...clientQuery(query), ...page } } }))
}

function clientQuery({ query, status, location_id, number, mac }: DeviceQuery): ClientQuery {
  return { query, status, location_id, number, mac }
}

/** Where the browser saves the list from. */
export function exportAddress(query: DeviceQuery): string {
  const given = Object.entries(clientQuery(query)).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  return `/api/v1/client/devices.csv?${new URLSearchParams(given)}`
}

/** How the devices are that a list shows; cheap enough for every few seconds. */
export async function fetchStatus(api: Api, ids: readonly string[]): Promise<DeviceStatus[]> {
  return (await bodyOf(api.GET('/api/v1/client/devices/status', { params: { query: { ids: ids.join(',') } } }))).items
}

const one = (id: string) => ({ params: { path: { id } } })

export const fetchDevice = (api: Api, id: string): Promise<Device> => bodyOf(api.GET('/api/v1/client/devices/{id}', one(id)))

export interface DeviceChange {
  name?: string
  location_id?: string
  clock?: Device['clock']
  modules?: Record<string, boolean>
}

export const changeDevice = (api: Api, id: string, change: DeviceChange): Promise<Device> =>
  bodyOf(api.PATCH('/api/v1/client/devices/{id}', { ...one(id), body: change }))

/** Gives the new token; the old one opens nothing any more. */
export async function rotateToken(api: Api, id: string): Promise<string> {
  const { token } = await bodyOf(api.POST('/api/v1/client/devices/{id}/token', one(id)))
  return token ?? ''
}

export async function fetchBindings(api: Api, id: string): Promise<Binding[]> {
  return (await bodyOf(api.GET('/api/v1/client/devices/{id}/bindings', one(id)))).items
}

export async function fetchConfig(api: Api, id: string): Promise<VersionedConfig> {
  const answer = api.GET('/api/v1/client/devices/{id}/config', one(id))
  const config = await bodyOf(answer)
  return { config, tag: (await answer).response.headers.get('ETag') ?? '' }
}

/** Fails as `stale` when somebody else was quicker. */
export async function saveConfig(api: Api, id: string, config: DeviceConfig, tag: string): Promise<void> {
  // The server reads this body by itself, so its document calls it a text.
  await bodyOf(api.PUT('/api/v1/client/devices/{id}/config', { ...one(id), headers: tag ? { 'If-Match': tag } : {}, body: config as never }))
}

export async function changeMany(api: Api, ids: string[], change: { location_id?: string; modules?: Record<string, boolean> }): Promise<BulkResult[]> {
  return (await bodyOf(api.POST('/api/v1/client/devices/bulk', { body: { ids, change } }))).results
}

export async function rebindMany(api: Api, ids: string[], change: { organisation_id?: string; unbind?: boolean }): Promise<BulkResult[]> {
  return (await bodyOf(api.POST('/api/v1/admin/devices/bulk', { body: { ids, change } }))).results
}

/** With `dryRun` it only says what would happen. */
export const importDevices = (api: Api, csv: string, dryRun: boolean): Promise<ImportResult> =>
  bodyOf(api.POST('/api/v1/client/devices/import', {
    params: { query: { dry_run: dryRun } }, body: csv as never, bodySerializer: (text: unknown) => text as string, headers: { 'Content-Type': 'text/csv' },
  }))

export const addDevice = (api: Api, device: { mac: string; name?: string; organisation_id?: string }) =>
  bodyOf(api.POST('/api/v1/admin/devices', { body: device }))

export async function bindDevice(api: Api, id: string, to: { organisation_id: string; location_id?: string }): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/devices/{id}/bind', { ...one(id), body: to }))
}

export async function unbindDevice(api: Api, id: string): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/devices/{id}/unbind', one(id)))
}

/** Takes away its token and its key; for a day another key may enrol under its MAC. */
export async function resetDevice(api: Api, id: string): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/devices/{id}/reset', one(id)))
}

export async function deleteDevice(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE('/api/v1/admin/devices/{id}', one(id)))
}

export const fetchClaims = (api: Api, page: PageRequest): Promise<Page<Claim>> =>
  bodyOf(api.GET('/api/v1/admin/devices/claims', { params: { query: page } }))

/** Gives the codes, which the server never shows again. */
export async function createClaims(api: Api, wanted: { count: number; organisation_id?: string; expires_in_days: number }): Promise<string[]> {
  const { items } = await bodyOf(api.POST('/api/v1/admin/devices/claims', { body: wanted }))
  return items.map(({ code }) => code ?? '')
}

export async function revokeClaim(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE('/api/v1/admin/devices/claims/{id}', one(id)))
}
