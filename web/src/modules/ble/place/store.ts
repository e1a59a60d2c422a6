import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { useApi } from '@/api/client'
import { type Failure, failureOf } from '@/api/errors'
import type { Location, Plan } from '@/api/types'
import { fetchLocations, fetchPlan } from './api'

/** Locations and the plan on the screen. A failure stays until the next load. */
export const useBleStore = defineStore('ble', () => {
  const api = useApi()
  const locations = shallowRef<ReadonlyMap<string, Location>>()
  const plan = shallowRef<Plan>()
  const failure = shallowRef<Failure>()
  // A slower answer to an earlier question must not replace a newer one.
  let generation = 0

  async function loadLocations(): Promise<void> {
    failure.value = undefined
    try {
      const list = await fetchLocations(api)
      locations.value = new Map(list.map((location) => [location.id, location]))
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  async function loadPlan(id: string): Promise<void> {
    const mine = ++generation
    if (plan.value?.id !== id) plan.value = undefined
    failure.value = undefined
    try {
      const loaded = await fetchPlan(api, id)
      if (mine === generation) plan.value = loaded
    } catch (error) {
      if (mine === generation) failure.value = failureOf(error)
    }
  }

  /** Brings the receivers' states up to date; keeps what there is when that fails. */
  async function refreshPlan(): Promise<void> {
    const mine = generation
    const id = plan.value?.id
    if (!id) return
    const loaded = await fetchPlan(api, id).catch(() => undefined)
    if (loaded && mine === generation) plan.value = loaded
  }

  function leavePlan(): void {
    generation++
    plan.value = undefined
  }

  return { locations, plan, failure, loadLocations, loadPlan, refreshPlan, leavePlan }
})
