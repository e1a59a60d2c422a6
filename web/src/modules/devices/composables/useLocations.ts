import { type Ref, shallowRef } from 'vue'
import { allPages, bodyOf, useApi } from '@/api/client'
import type { Location } from '@/api/types'

/** Every location this person sees, by name; empty when they cannot be read. */
export function useLocations(): Readonly<Ref<readonly Location[]>> {
  const api = useApi()
  const locations = shallowRef<readonly Location[]>([])
  const { compare } = new Intl.Collator(undefined, { numeric: true })

  // Without the list a location cannot be chosen; everything else works.
  allPages((cursor) => bodyOf(api.GET('/api/v1/client/locations', { params: { query: { limit: 200, cursor } } })))
    .then((list) => (locations.value = list.sort((a, b) => compare(a.organisation_name, b.organisation_name) || compare(a.name, b.name))))
    .catch(() => undefined)
  return locations
}
