import { computed, type ComputedRef, onScopeDispose, reactive, type ShallowRef, shallowRef, watch } from 'vue'
import { useNow } from '@/composables/useNow'
import { useLiveStore } from '@/live/store'
import { isFiltered, noFilter, passing, RowOrder, type TagFilter, type TagRow } from './tagRows'

// A long list is written this often, milliseconds: nobody reads faster, and it costs
// more than the map.
const longListMs = 500
const longList = 100

export interface UseTagsReturn {
  filter: TagFilter
  /** For the map: in no order, new with each frame that brings something. */
  shown: ComputedRef<TagRow[]>
  /** All tags of the location, whatever the filter says; written once a second. */
  everywhere: Readonly<ShallowRef<readonly TagRow[]>>
  /** For the list: in order. */
  rows: Readonly<ShallowRef<readonly TagRow[]>>
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

  const shown = computed(() => passing(live.tags.values(), filter, clock()))
  const everywhere = shallowRef<readonly TagRow[]>([])
  watch([now, () => live.hasSnapshot], () => (everywhere.value = passing(live.tags.values(), noFilter, clock())), { immediate: true })
  const total = computed(() => live.tags.size)
  const hasFilter = computed(() => isFiltered(filter))

  const order = new RowOrder()
  const rows = shallowRef<readonly TagRow[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  function write() {
    clearTimeout(timer)
    timer = undefined
    rows.value = order.sort(shown.value)
  }
  watch(shown, ({ length }) => {
    if (length < longList) write()
    else timer ??= setTimeout(write, longListMs)
  }, { immediate: true })
  watch([filter, () => live.hasSnapshot], write)
  onScopeDispose(() => clearTimeout(timer))

  function find(id: string): TagRow | undefined {
    const tag = live.tags.get(id)
    return tag && passing([tag], noFilter, clock())[0]
  }
  return { filter, shown, everywhere, rows, total, hasFilter, reset: () => Object.assign(filter, noFilter), find }
}
