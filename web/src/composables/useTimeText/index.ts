import { useI18n } from 'vue-i18n'

export interface UseTimeTextReturn {
  /** "now", "12 s", "3 min", "2 h", "5 d" in the language of the page. */
  ageText: (ms: number) => string
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Below this a second count would only flicker. */
export const nowMs = 5000

export function useTimeText(): UseTimeTextReturn {
  const { t } = useI18n()
  function ageText(ms: number): string {
    if (!Number.isFinite(ms)) return t('time.never')
    if (ms < nowMs) return t('time.now')
    if (ms < minute) return t('time.seconds', { n: Math.floor(ms / 1000) })
    if (ms < hour) return t('time.minutes', { n: Math.floor(ms / minute) })
    if (ms < day) return t('time.hours', { n: Math.floor(ms / hour) })
    return t('time.days', { n: Math.floor(ms / day) })
  }
  return { ageText }
}
