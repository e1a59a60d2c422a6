import { computed, type ComputedRef } from 'vue'
import type { Location } from '@/api/types'
import { useBleStore } from '../../place/store'

/** Every location this person sees, by name; empty until they are read, or when they cannot be. */
export function usePlaces(): ComputedRef<readonly Location[]> {
  const store = useBleStore()
  if (!store.locations) void store.loadLocations()
  return computed(() => [...(store.locations?.values() ?? [])])
}
