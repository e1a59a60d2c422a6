import 'vuetify/styles/core'
import { mdiChevronDown, mdiClose, mdiCloseCircle } from '@mdi/js'
import { useI18n } from 'vue-i18n'
import { createVuetify } from 'vuetify'
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg'
import { createVueI18nAdapter } from 'vuetify/locale/adapters/vue-i18n'
import type { ConsoleI18n } from './i18n'

// The product's own cyan is too light for text on white: `primary` is its
// darker sister with a contrast of 5:1; `brand` is for drawings only.
const light = {
  dark: false,
  colors: {
    background: '#f4f7f7',
    surface: '#ffffff',
    'on-surface': '#17211e',
    primary: '#0b7489',
    'on-primary': '#ffffff',
    brand: '#1cb5d5',
    muted: '#55635e',
    line: '#dfe6e4',
    info: '#0b6578',
    success: '#1c7a4b',
    warning: '#8a5200',
    error: '#b3261e',
    person: '#3457d5',
    'on-person': '#ffffff',
    asset: '#8d5a00',
    'on-asset': '#ffffff',
    vehicle: '#1f7a4d',
    'on-vehicle': '#ffffff',
    acting: '#5b3fb0',
    'on-acting': '#ffffff',
    stale: '#6d7875',
    'on-stale': '#ffffff',
  },
}

const dark = {
  dark: true,
  colors: {
    background: '#0f1518',
    surface: '#172024',
    'on-surface': '#e7efec',
    primary: '#4dd0ea',
    'on-primary': '#06262d',
    brand: '#1cb5d5',
    muted: '#a3b3ad',
    line: '#28343a',
    info: '#7fd3e6',
    success: '#5fcf97',
    warning: '#f0b44c',
    error: '#ff8a80',
    person: '#8ea6ff',
    'on-person': '#10171a',
    asset: '#f0b44c',
    'on-asset': '#10171a',
    vehicle: '#5fcf97',
    'on-vehicle': '#10171a',
    acting: '#c9b8ff',
    'on-acting': '#1c1336',
    stale: '#8f9b97',
    'on-stale': '#10171a',
  },
}

export function createConsoleVuetify(i18n: ConsoleI18n) {
  return createVuetify({
    theme: { defaultTheme: 'system', themes: { light, dark } },
    icons: { defaultSet: 'mdi', aliases: { ...aliases, dropdown: mdiChevronDown, clear: mdiCloseCircle, close: mdiClose }, sets: { mdi } },
    locale: { adapter: createVueI18nAdapter({ i18n: i18n as never, useI18n }) },
    defaults: {
      VBtn: { variant: 'text' },
      VTextField: { variant: 'outlined', density: 'comfortable', color: 'primary' },
      VSelect: { variant: 'outlined', density: 'compact', color: 'primary', hideDetails: true },
      VMenu: { offset: 6 },
      VCard: { elevation: 0 },
    },
  })
}
