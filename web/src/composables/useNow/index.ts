import { onScopeDispose, readonly, type Ref, shallowRef } from 'vue'

export interface UseNowOptions {
  /** Milliseconds between two ticks. */
  intervalMs?: number
}

/** The clock in milliseconds, ticking; stops with the scope that asked. */
export function useNow(options: UseNowOptions = {}): Readonly<Ref<number>> {
  const now = shallowRef(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), options.intervalMs ?? 1000)
  onScopeDispose(() => clearInterval(timer))
  return readonly(now)
}
