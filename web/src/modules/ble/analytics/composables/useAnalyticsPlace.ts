import { computed, type ComputedRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Location } from '@/api/types'
import { lastPlace, rememberPlace } from '../../place/lastPlace'
import { useBleStore } from '../../place/store'

export interface UseAnalyticsPlaceReturn {
  location: ComputedRef<Location | undefined>
  /** The address names a location that this person cannot see. */
  isUnknown: ComputedRef<boolean>
  goTo: (location: string) => void
}

/** The location of the address; figures are of all its plans, so there is no plan in it. */
export function useAnalyticsPlace(): UseAnalyticsPlaceReturn {
  const route = useRoute()
  const router = useRouter()
  const store = useBleStore()
  const id = computed(() => String(route.params.location ?? ''))
  const location = computed(() => store.locations?.get(id.value))

  function complete() {
    const { locations } = store
    if (route.name !== 'ble-analytics' || !locations || id.value !== '') return
    const usual = locations.get(lastPlace()?.location ?? '') ?? [...locations.values()].find(({ plans }) => plans.length > 0) ?? [...locations.values()][0]
    if (usual) void router.replace({ name: 'ble-analytics', params: { location: usual.id }, query: route.query })
  }

  watch([() => store.locations, id], complete, { immediate: true })
  watch(location, (chosen) => {
    const plan = chosen?.plans.find((one) => one.id === lastPlace()?.plan) ?? chosen?.plans[0]
    if (chosen && plan) rememberPlace({ location: chosen.id, plan: plan.id })
  })
  return {
    location,
    isUnknown: computed(() => store.locations !== undefined && id.value !== '' && !location.value),
    // The time stays, what belongs to the other location goes.
    goTo: (to) => void router.push({ name: 'ble-analytics', params: { location: to }, query: { ...route.query, plan: undefined, zone: undefined, tag: undefined } }),
  }
}
