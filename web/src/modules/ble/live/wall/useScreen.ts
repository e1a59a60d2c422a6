import { onScopeDispose, readonly, type Ref, ref } from 'vue'

// How long after the last move of the pointer a screen is nobody's.
const idleMs = 4000

export interface UseScreenReturn {
  isFull: Readonly<Ref<boolean>>
  /** Nobody touches pointer or keyboard. */
  isIdle: Readonly<Ref<boolean>>
  toggle: () => void
}

/** The whole screen, kept awake. `onEscape` is called when there is no full screen to leave. */
export function useScreen(onEscape: () => void): UseScreenReturn {
  const isFull = ref(document.fullscreenElement !== null)
  const isIdle = ref(false)
  let idle: ReturnType<typeof setTimeout> | undefined
  let lock: WakeLockSentinel | undefined

  function toggle() {
    // Refused without a touch of the person, as at the start of a kiosk, which is full anyway.
    const change = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()
    void change?.catch(() => undefined)
  }

  /** The lock ends with each look at another tab. */
  async function stayAwake() {
    if (document.hidden || !('wakeLock' in navigator)) return
    lock = await navigator.wakeLock.request('screen').catch(() => undefined)
  }

  function touched() {
    isIdle.value = false
    clearTimeout(idle)
    idle = setTimeout(() => (isIdle.value = true), idleMs)
  }

  function key(event: KeyboardEvent) {
    touched()
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.code === 'KeyF') toggle()
    else if (event.key === 'Escape' && !document.fullscreenElement) onEscape()
  }
  const changed = () => (isFull.value = document.fullscreenElement !== null)

  document.addEventListener('fullscreenchange', changed)
  document.addEventListener('visibilitychange', stayAwake)
  document.addEventListener('pointermove', touched)
  document.addEventListener('keydown', key)
  touched()
  void stayAwake()
  onScopeDispose(() => {
    document.removeEventListener('fullscreenchange', changed)
    document.removeEventListener('visibilitychange', stayAwake)
    document.removeEventListener('pointermove', touched)
    document.removeEventListener('keydown', key)
    clearTimeout(idle)
    void lock?.release().catch(() => undefined)
  })
  return { isFull: readonly(isFull), isIdle: readonly(isIdle), toggle }
}
