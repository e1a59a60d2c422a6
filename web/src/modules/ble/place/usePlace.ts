import { computed, type ComputedRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Location, PlanRef } from '@/api/types'
import { useBleStore } from './store'
import { lastPlace, rememberPlace } from './lastPlace'

export interface UsePlaceReturn {
  location: ComputedRef<Location | undefined>
  planRef: ComputedRef<PlanRef | undefined>
  /** Id of the chosen tag, empty for none; part of the address, so it can be shared. */
  tag: ComputedRef<string>
  /** The address names a location or plan that this person cannot see. */
  isUnknown: ComputedRef<boolean>
  goTo: (location: string, plan?: string, tag?: string) => void
  choose: (tag: string) => void
}

/** Location, plan and tag live in the address of a room's route; this reads and changes it. */
export function usePlace(room = 'ble-map'): UsePlaceReturn {
  const route = useRoute()
  const router = useRouter()
  const store = useBleStore()
  const param = (name: string) => String(route.params[name] ?? '')

  const location = computed(() => store.locations?.get(param('location')))
  const planRef = computed(() => location.value?.plans.find((plan) => plan.id === param('plan')))
  const tag = computed(() => String(route.query.tag ?? ''))
  const isUnknown = computed(() => {
    if (!store.locations || param('location') === '') return false
    return !location.value || (param('plan') !== '' && !planRef.value)
  })

  function goTo(to: string, plan?: string, tagId?: string) {
    void router.push({ name: room, params: { location: to, plan: plan ?? '' }, query: tagId ? { tag: tagId } : {} })
  }

  function choose(id: string) {
    void router.replace({ params: route.params, query: id ? { tag: id } : {} })
  }

  /** Completes an address that names no location or no plan. */
  function complete() {
    const { locations } = store
    if (route.name !== room || !locations || locations.size === 0 || isUnknown.value || planRef.value) return
    const chosen = location.value ?? usual(locations)
    const last = lastPlace()
    const plan = chosen?.plans.find(({ id }) => id === last?.plan) ?? chosen?.plans[0]
    if (!chosen || (param('location') === chosen.id && !plan)) return
    void router.replace({ name: room, params: { location: chosen.id, plan: plan?.id ?? '' }, query: route.query })
  }

  watch([() => store.locations, () => route.fullPath], complete, { immediate: true })
  watch(planRef, (plan) => plan && location.value && rememberPlace({ location: location.value.id, plan: plan.id }))
  return { location, planRef, tag, isUnknown, goTo, choose }
}

/** Where to begin: the last place, else the first that has a plan. */
function usual(locations: ReadonlyMap<string, Location>): Location | undefined {
  const known = locations.get(lastPlace()?.location ?? '')
  const all = [...locations.values()]
  return known ?? all.find(({ plans }) => plans.length > 0) ?? all[0]
}
