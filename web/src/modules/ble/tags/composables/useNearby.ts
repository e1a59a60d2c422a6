import { computed, type ComputedRef, onScopeDispose, type Ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { useApi } from '@/api/client'
import type { ListState } from '@/kit/data/types'
import { fetchUnknown } from '../api'
import type { UnknownTag } from '../types'

/** A transmitter that is heard, with a key for the list. */
export type Heard = UnknownTag & { id: string }

export interface UseNearbyReturn {
  rows: ComputedRef<Heard[]>
  state: Readonly<Ref<ListState>>
  error: Readonly<Ref<unknown>>
  reload: () => Promise<void>
}

const refreshMs = 3000

/** What is heard nearby and is no tag, again every few seconds. */
export function useNearby(query: MaybeRefOrGetter<{ location?: string; random?: boolean }>): UseNearbyReturn {
  const api = useApi()
  const found = shallowRef<readonly UnknownTag[]>([])
  const state = shallowRef<ListState>('loading')
  const error = shallowRef<unknown>()
  let generation = 0

  async function ask(quietly: boolean): Promise<void> {
    const mine = ++generation
    try {
      const answer = await fetchUnknown(api, toValue(query))
      if (mine !== generation) return
      found.value = answer
      error.value = undefined
      state.value = 'ready'
    } catch (cause) {
      if (mine !== generation || quietly) return
      error.value = cause
      state.value = 'failed'
    }
  }

  function reload(): Promise<void> {
    state.value = 'loading'
    return ask(false)
  }

  watch(() => JSON.stringify(toValue(query)), () => void reload(), { immediate: true })
  const timer = setInterval(() => !document.hidden && state.value === 'ready' && void ask(true), refreshMs)
  onScopeDispose(() => {
    clearInterval(timer)
    generation++
  })

  // One transmitter may be heard at two locations.
  const rows = computed(() => found.value.map((one) => ({ ...one, id: `${one.transmitter} ${one.location}` })))
  return { rows, state, error, reload }
}
