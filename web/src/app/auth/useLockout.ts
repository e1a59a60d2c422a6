import { computed, type ComputedRef, shallowRef } from 'vue'
import { useNow } from '@/composables/useNow'
import { waitText } from '@/composables/useProblemText/wait'

export interface UseLockoutReturn {
  isLocked: ComputedRef<boolean>
  /** What is left of the wait: 14:05. */
  wait: ComputedRef<string>
  start: (seconds: number) => void
}

/** Counts down until the server listens again after too many attempts. */
export function useLockout(): UseLockoutReturn {
  const now = useNow()
  const until = shallowRef(0)
  return {
    isLocked: computed(() => until.value > now.value),
    wait: computed(() => waitText((until.value - now.value) / 1000)),
    start: (seconds) => void (until.value = Date.now() + seconds * 1000),
  }
}
