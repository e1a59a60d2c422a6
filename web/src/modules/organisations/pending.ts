import { defineStore } from 'pinia'
import { computed, onScopeDispose, type Ref, shallowRef } from 'vue'
import { bodyOf, useApi } from '@/api/client'
import { useSessionStore } from '@/api/session'

// Registrations come by hand: more often would only cost.
const askMs = 60_000
// As far as the badge counts.
const most = 99

/** How many organisations wait for their first product. */
export const usePendingStore = defineStore('pending', () => {
  const api = useApi()
  const session = useSessionStore()
  const count = shallowRef(0)

  /** Asks anew; a failure keeps what was known. */
  async function load(): Promise<void> {
    if (!session.isSuperAdmin) return
    const query = { pending: true, limit: most }
    const answer = await bodyOf(api.GET('/api/v1/admin/organisations', { params: { query } })).catch(() => undefined)
    if (answer) count.value = answer.items.length
  }

  return { count, load }
})

/** The count for the menu, as long as the menu stands. */
export function usePendingCount(): Readonly<Ref<number>> {
  const store = usePendingStore()
  void store.load()
  const timer = setInterval(() => !document.hidden && void store.load(), askMs)
  onScopeDispose(() => clearInterval(timer))
  return computed(() => store.count)
}
