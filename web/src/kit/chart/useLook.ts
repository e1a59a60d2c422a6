import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useDisplay, useTheme } from 'vuetify'
import { paletteOf } from './palette'
import type { Look } from './types'

/** How charts look now: follows the theme, the language and the width of the window. */
export function useLook(): ComputedRef<Look> {
  const { locale } = useI18n()
  const theme = useTheme()
  const { xs } = useDisplay()
  return computed(() => ({ palette: paletteOf(theme.current.value.dark), locale: locale.value, narrow: xs.value }))
}
