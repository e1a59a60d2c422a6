import { onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import type { ListState } from '@/kit/data/types'

export interface UseLatestReturn<T> {
  data: Readonly<Ref<T | undefined>>
  state: Readonly<Ref<ListState>>
  error: Readonly<Ref<unknown>>
  reload: () => Promise<void>
}

/**
 * The answer to the newest question; an overtaken one is dropped. Without a
 * question (undefined) there is no answer, and nothing is asked.
 */
export function useLatest<Query, T>(query: () => Query | undefined, load: (query: Query) => Promise<T>): UseLatestReturn<T> {
  const data = shallowRef<T>()
  const state = shallowRef<ListState>('loading')
  const error = shallowRef<unknown>()
  let generation = 0

  async function reload(): Promise<void> {
    const mine = ++generation
    const asked = query()
    state.value = 'loading'
    if (asked === undefined) {
      data.value = undefined
      return
    }
    try {
      const answer = await load(asked)
      if (mine !== generation) return
      data.value = answer
      state.value = 'ready'
    } catch (cause) {
      if (mine !== generation) return
      error.value = cause
      state.value = 'failed'
    }
  }

  watch(() => JSON.stringify(query()), () => void reload(), { immediate: true })
  onScopeDispose(() => generation++)
  return { data, state, error, reload }
}
