import { createI18n } from 'vue-i18n'
import type { Language } from '@/kit/languages'
import type { Messages } from '@/kit/module'
import { modules } from './registry'

type Load = () => Promise<{ default: Messages }>

const shell: Record<Language, Load> = { en: () => import('@/locales/en.json'), ru: () => import('@/locales/ru.json') }
const data: Record<Language, Load> = { en: () => import('@/kit/data/locales/en.json'), ru: () => import('@/kit/data/locales/ru.json') }
const charts: Record<Language, Load> = { en: () => import('@/kit/chart/locales/en.json'), ru: () => import('@/kit/chart/locales/ru.json') }
const widgets: Record<Language, Load> = {
  en: () => import('@/locales/vuetify.en'),
  ru: () => import('@/locales/vuetify.ru'),
}

/** Russian has three forms after a number: 1 метка, 2 метки, 5 меток. */
export function russianForm(count: number, forms: number): number {
  const [ten, hundred] = [Math.abs(count) % 10, Math.abs(count) % 100]
  if (ten === 1 && hundred !== 11) return 0
  if (ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14)) return 1
  return Math.min(2, forms - 1)
}

export function createConsoleI18n() {
  return createI18n({
    legacy: false,
    locale: 'en' as string,
    fallbackLocale: 'en',
    messages: {} as Record<string, Messages>,
    pluralRules: { ru: russianForm },
  })
}

export type ConsoleI18n = ReturnType<typeof createConsoleI18n>

/** Loads a language's texts, of the shell and of every module, and switches to it. */
export async function useLanguage(i18n: ConsoleI18n, language: Language): Promise<void> {
  if (!i18n.global.availableLocales.includes(language)) {
    const loads = [shell[language], data[language], charts[language], ...modules.map((module) => module.messages[language])]
    const parts = await Promise.all(loads.map(async (load) => (await load()).default))
    const { default: $vuetify } = await widgets[language]()
    i18n.global.setLocaleMessage(language, Object.assign({ $vuetify }, ...parts))
  }
  i18n.global.locale.value = language
  document.documentElement.lang = language
}
