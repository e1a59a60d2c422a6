import { computed, type ComputedRef, type Ref, shallowRef, watch } from 'vue'
import { useApi } from '@/api/client'
import { type Failure, failureOf } from '@/api/errors'
import type { Plan } from '@/api/types'
import { fetchChanges, fetchPlanAt } from '../api'
import { versionAt } from '../playback/range'

export interface UsePlanAtReturn {
  plan: Readonly<Ref<Plan | undefined>>
  failure: Readonly<Ref<Failure | undefined>>
  /** The plan was changed after the moment that is shown. */
  isOld: ComputedRef<boolean>
  reload: () => Promise<void>
}

/** The plan as it was at a moment: walls, receivers and zones of that time. */
export function usePlanAt(id: string, at: () => number): UsePlanAtReturn {
  const api = useApi()
  const changes = shallowRef<readonly number[]>()
  let versions = new Map<number, Plan>()
  const plan = shallowRef<Plan>()
  const failure = shallowRef<Failure>()
  const version = computed(() => (changes.value ? versionAt(changes.value, at()) : undefined))

  /** When a version began; undefined for the one that holds now. What was before the first looks like the first. */
  function beginningOf(wanted: number): number | undefined {
    const all = changes.value ?? []
    return Math.max(1, wanted) < all.length ? all[Math.max(1, wanted) - 1] : undefined
  }

  async function show(wanted: number): Promise<void> {
    const cache = versions
    const isMeant = () => version.value === wanted && cache === versions
    try {
      const known = cache.get(wanted) ?? (await fetchPlanAt(api, id, beginningOf(wanted)))
      cache.set(wanted, known)
      if (!isMeant()) return
      plan.value = known
      failure.value = undefined
    } catch (error) {
      if (isMeant()) failure.value = failureOf(error)
    }
  }

  async function reload(): Promise<void> {
    failure.value = undefined
    try {
      const known = await fetchChanges(api, id)
      // What held until now may have ended, and plans of old are corrected at times.
      versions = new Map()
      changes.value = known
      if (version.value !== undefined) await show(version.value)
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  watch(version, (wanted, before) => wanted !== undefined && before !== undefined && void show(wanted))
  void reload()
  return { plan, failure, isOld: computed(() => Math.max(1, version.value ?? 1) < (changes.value?.length ?? 0)), reload }
}
