import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

export interface UseFormatsReturn {
  /** Day and time to the second; empty for nothing. */
  dateTime: (at?: string | number | null) => string
  /** Day and time to the minute. */
  shortTime: (at?: string | number | null) => string
  number: (value: number, digits?: number) => string
  /** A share from 0 to 1. */
  percent: (share: number) => string
}

/** Dates in the browser's time zone and numbers, as the language of the page writes them. */
export function useFormats(): UseFormatsReturn {
  const { locale } = useI18n()
  const long = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium' }))
  const short = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: 'short', timeStyle: 'short' }))
  const whole = computed(() => new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }))

  const write = (format: Intl.DateTimeFormat, at?: string | number | null) => {
    const time = at === null || at === undefined || at === '' ? Number.NaN : new Date(at).getTime()
    return Number.isNaN(time) ? '' : format.format(time)
  }
  return {
    dateTime: (at) => write(long.value, at),
    shortTime: (at) => write(short.value, at),
    number: (value, digits = 0) => new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value),
    percent: (share) => whole.value.format(share),
  }
}
