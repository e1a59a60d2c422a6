import { allPages, type Api, bodyOf } from '@/api/client'
import type { Location, Plan } from '@/api/types'

/** Every location this person may see, sorted by organisation and name. */
export async function fetchLocations(api: Api): Promise<Location[]> {
  const locations = await allPages((cursor) => bodyOf(api.GET('/api/v1/client/locations', { params: { query: { limit: 200, cursor } } })))
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  return locations.sort((a, b) => compare(a.organisation_name, b.organisation_name) || compare(a.name, b.name))
}

/** A plan with its receivers and zones, in one request. */
export function fetchPlan(api: Api, id: string): Promise<Plan> {
  return bodyOf(api.GET('/api/v1/client/ble/plans/{id}', { params: { path: { id } } }))
}
