import { computed, type ComputedRef, type Ref, shallowRef } from 'vue'
import type { UseSelectionReturn } from '@/kit/data/useSelection'
import type { BulkResult } from '../types'

export interface UseBulkReturn {
  busy: Readonly<Ref<boolean>>
  /** Why a device was left as it was, by its id. */
  problems: Readonly<Ref<ReadonlyMap<string, string>>>
  /** How the last change went; undefined before one. */
  summary: ComputedRef<{ done: number; failed: number } | undefined>
  /** Sends the chosen devices in portions; throws when the server could not be asked. */
  run: (change: (ids: string[]) => Promise<BulkResult[]>) => Promise<void>
  forget: () => void
}

// The server takes as many devices at once.
export const portion = 200

/** A change of many devices of which some may fail: those stay selected and say why. */
export function useBulk(selection: UseSelectionReturn): UseBulkReturn {
  const busy = shallowRef(false)
  const problems = shallowRef<ReadonlyMap<string, string>>(new Map())
  const done = shallowRef<number>()

  function take(results: readonly BulkResult[]) {
    const next = new Map(problems.value)
    for (const { id, ok, problem } of results) {
      if (!ok) next.set(id, problem ?? '')
      else if (selection.has(id)) selection.toggle(id)
    }
    problems.value = next
    done.value = (done.value ?? 0) + results.filter(({ ok }) => ok).length
  }

  async function run(change: (ids: string[]) => Promise<BulkResult[]>): Promise<void> {
    if (busy.value) return
    busy.value = true
    forget()
    const ids = [...selection.ids.value]
    try {
      for (let from = 0; from < ids.length; from += portion) take(await change(ids.slice(from, from + portion)))
    } finally {
      busy.value = false
    }
  }

  function forget() {
    problems.value = new Map()
    done.value = undefined
  }

  const summary = computed(() => (done.value === undefined ? undefined : { done: done.value, failed: problems.value.size }))
  return { busy, problems, summary, run, forget }
}
