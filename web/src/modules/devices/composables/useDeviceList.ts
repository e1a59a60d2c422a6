import { computed, type ComputedRef, onScopeDispose } from 'vue'
import { useApi } from '@/api/client'
import { useSessionStore } from '@/api/session'
import { oneOf, text, useFilters, type UseFiltersReturn } from '@/kit/data/useFilters'
import { usePaged, type UsePagedReturn } from '@/kit/data/usePaged'
import { type DeviceQuery, fetchDevices, fetchStatus } from '../api'
import type { Device } from '../types'

export type DeviceFilter = 'query' | 'status' | 'location' | 'organisation' | 'bound' | 'number' | 'mac'

/** The states that a device can be in. */
export const statuses = ['online', 'offline', 'never'] as const

const number = (value: string) => (/^[1-9]\d{0,8}$/.test(value) ? value : '')
const kinds = { query: text, status: oneOf(...statuses), location: text, organisation: text, bound: oneOf('yes', 'no'), number, mac: text }

// A device that falls silent is known within 30 s; the list adds little to that.
const statusMs = 5000
// Devices that come, go or are renamed.
const refreshMs = 30_000

export interface UseDeviceListReturn {
  filters: UseFiltersReturn<DeviceFilter>
  paged: UsePagedReturn<Device>
  query: ComputedRef<DeviceQuery>
  /** A super-admin looks at the devices of all organisations. */
  everywhere: ComputedRef<boolean>
}

/** The list of devices behind its filters, brought up to date every few seconds. */
export function useDeviceList(): UseDeviceListReturn {
  const api = useApi()
  const session = useSessionStore()
  const everywhere = computed(() => session.isSuperAdmin && !session.isActing)
  const filters = useFilters<DeviceFilter>(kinds)

  const query = computed<DeviceQuery>(() => {
    const { values } = filters
    const of = (key: DeviceFilter) => values.value[key] || undefined
    const bound = everywhere.value ? of('bound') : undefined
    return {
      query: of('query'), status: of('status') as DeviceQuery['status'], location_id: of('location'), mac: of('mac'),
      number: of('number') === undefined ? undefined : Number(of('number')),
      organisation_id: everywhere.value ? of('organisation') : undefined,
      bound: bound === undefined ? undefined : bound === 'yes' ? 'true' : 'false',
    }
  })
  const paged = usePaged({
    load: ({ everywhere: all, ...asked }, page) => fetchDevices(api, all, asked, page),
    query: () => ({ ...query.value, everywhere: everywhere.value }),
    refreshMs,
  })
  const timer = setInterval(() => !document.hidden && void refreshStatus(), statusMs)
  onScopeDispose(() => clearInterval(timer))

  /** Asks only how the devices on the screen are. */
  async function refreshStatus(): Promise<void> {
    const ids = paged.items.value.map(({ id }) => id)
    if (ids.length === 0) return
    const answer = await fetchStatus(api, ids).catch(() => [])
    const known = new Map(answer.map((status) => [status.id, status]))
    paged.replace((device) => ({ ...device, ...known.get(device.id) }))
  }

  return { filters, paged, query, everywhere }
}
