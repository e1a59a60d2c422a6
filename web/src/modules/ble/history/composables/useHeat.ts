import { computed, type ComputedRef } from 'vue'
import { useApi } from '@/api/client'
import type { Plan } from '@/api/types'
import { useLatest, type UseLatestReturn } from '../../past/useLatest'
import { fetchHeat, type Past } from '../api'

type Heat = Awaited<ReturnType<typeof fetchHeat>>

export interface UseHeatReturn extends Omit<UseLatestReturn<Heat>, 'data'> {
  heat: ComputedRef<Heat | undefined>
}

// Squares of half a metre at best: a fix is no more accurate. At most so many
// along a side, or they are smaller than what can be seen.
const finestM = 0.5
const mostCells = 120

/** The side of the squares for a plan, in the half metres that the server knows. */
export function cellOf({ bounds }: Pick<Plan, 'bounds'>): number {
  const side = Math.max(bounds.max.x - bounds.min.x, bounds.max.y - bounds.min.y)
  return Math.min(50, Math.max(finestM, Math.ceil(side / mostCells / finestM) * finestM))
}

/** How long tags were where, over the whole range; nothing while it is switched off. */
export function useHeat(past: () => Past | undefined, plan: () => Plan | undefined): UseHeatReturn {
  const api = useApi()
  const { data, ...rest } = useLatest(() => {
    const [asked, drawn] = [past(), plan()]
    return asked && drawn && { ...asked, cellM: cellOf(drawn) }
  }, ({ cellM, ...asked }) => fetchHeat(api, asked, cellM))
  return { heat: computed(() => data.value), ...rest }
}
