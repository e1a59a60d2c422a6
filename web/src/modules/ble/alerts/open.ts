import { defineStore } from 'pinia'
import { computed, onScopeDispose, type Ref, shallowRef } from 'vue'
import { useApi } from '@/api/client'
import { hasProduct } from '@/api/rights'
import { useSessionStore } from '@/api/session'
import { countAlerts } from './api'

// An answer without news is 304 and costs little.
const askMs = 10_000

/** How many alerts ask for somebody, and which came last. */
export const useOpenAlertsStore = defineStore('ble-open-alerts', () => {
  const api = useApi()
  const session = useSessionStore()
  const count = shallowRef(0)
  /** Id of the newest open alert; undefined until the server has said. */
  const newest = shallowRef<string>()

  /** Asks anew; a failure keeps what was known. */
  async function load(): Promise<void> {
    if (!hasProduct(session.me, 'ble')) return
    const answer = await countAlerts(api).catch(() => undefined)
    if (!answer) return
    count.value = answer.open
    newest.value = answer.newest ?? ''
  }

  return { count, newest, load }
})

/** The count for the menu, as long as the menu stands. */
export function useOpenAlerts(): Readonly<Ref<number>> {
  const store = useOpenAlertsStore()
  void store.load()
  const timer = setInterval(() => !document.hidden && void store.load(), askMs)
  onScopeDispose(() => clearInterval(timer))
  return computed(() => store.count)
}
