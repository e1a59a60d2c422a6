import { onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import { bodyOf, useApi } from '@/api/client'
import type { SearchHit } from '@/api/types'

export interface UseSearchReturn {
  hits: Readonly<Ref<readonly SearchHit[]>>
  busy: Readonly<Ref<boolean>>
  failed: Readonly<Ref<boolean>>
}

// A pause in typing; shorter would ask for every letter of a fast typist.
const pauseMs = 150

/** Asks the server for everything that a text names: numbers, MACs, names. */
export function useSearch(query: Ref<string>): UseSearchReturn {
  const api = useApi()
  const hits = shallowRef<readonly SearchHit[]>([])
  const busy = shallowRef(false)
  const failed = shallowRef(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let generation = 0

  async function ask(text: string, mine: number) {
    try {
      const { items } = await bodyOf(api.GET('/api/v1/client/search', { params: { query: { q: text } } }))
      if (mine !== generation) return
      hits.value = items
      failed.value = false
    } catch {
      if (mine !== generation) return
      hits.value = []
      failed.value = true
    }
    busy.value = false
  }

  watch(query, (value) => {
    clearTimeout(timer)
    const mine = ++generation
    const text = value.trim()
    busy.value = text !== ''
    failed.value = false
    if (text === '') hits.value = []
    else timer = setTimeout(() => void ask(text, mine), pauseMs)
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    generation++
  })
  return { hits, busy, failed }
}
