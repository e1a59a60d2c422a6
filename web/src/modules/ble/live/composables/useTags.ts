import { computed, type ComputedRef, reactive } from 'vue'
import { useNow } from '@/composables/useNow'
import { useLiveStore } from '@/live/store'
import { isFiltered, noFilter, type TagFilter, type TagRow, tagRows } from './tagRows'

export interface UseTagsReturn {
  filter: TagFilter
  rows: ComputedRef<TagRow[]>
  /** Tags of the location, whatever the filter says. */
  total: ComputedRef<number>
  hasFilter: ComputedRef<boolean>
  reset: () => void
  find: (id: string) => TagRow | undefined
}

/** The tags of the live location behind a filter; made once by the map's view. */
export function useTags(): UseTagsReturn {
  const live = useLiveStore()
  const now = useNow()
  const filter = reactive({ ...noFilter })
  // The ticking clock may lag behind the frame by up to a second.
  const clock = () => ({ now: Math.max(now.value, live.lastMessageAt ?? 0), offsetMs: live.clockOffsetMs })

  const rows = computed(() => tagRows(live.tags.values(), filter, clock()))
  const total = computed(() => live.tags.size)
  const hasFilter = computed(() => isFiltered(filter))

  function find(id: string): TagRow | undefined {
    const tag = live.tags.get(id)
    return tag && tagRows([tag], noFilter, clock())[0]
  }
  return { filter, rows, total, hasFilter, reset: () => Object.assign(filter, noFilter), find }
}
