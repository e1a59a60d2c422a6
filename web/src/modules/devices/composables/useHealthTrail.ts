import { type Ref, shallowRef, watch } from 'vue'
import type { Device, Health } from '../types'

/** Five minutes of a reading every five seconds. */
const kept = 60

/** The health readings that came while the page was open, oldest first. */
export function useHealthTrail(device: Readonly<Ref<Device | undefined>>): Readonly<Ref<readonly Health[]>> {
  const trail = shallowRef<readonly Health[]>([])
  watch(device, (now, before) => {
    const first = now?.id === before?.id ? trail.value : []
    trail.value = now?.health ? [...first, now.health].slice(-kept) : first
  }, { immediate: true })
  return trail
}
