import { defineStore } from 'pinia'
import { shallowRef, watch } from 'vue'
import { type Language, languages } from '@/kit/languages'

export const themes = ['light', 'dark', 'system'] as const
export type Theme = (typeof themes)[number]

/** What a person chose in this browser; kept in local storage, as it is no secret. */
export const usePreferences = defineStore('preferences', () => {
  const language = shallowRef<Language>(read('language', languages) ?? browserLanguage())
  const theme = shallowRef<Theme>(read('theme', themes) ?? 'system')
  // The navigation of a desktop as icons only.
  const isNarrow = shallowRef(read('nav', ['narrow']) !== undefined)
  watch(isNarrow, (value) => write('nav', value ? 'narrow' : ''))
  watch(language, (value) => write('language', value))
  watch(theme, (value) => write('theme', value))

  /** Takes over a language that came from elsewhere, if it is one of ours. */
  function speak(wanted: string) {
    language.value = languages.find((known) => known === wanted) ?? language.value
  }

  return { language, theme, isNarrow, speak }
})

/** The first language of the browser that the console speaks. */
export function browserLanguage(wanted: readonly string[] = navigator.languages): Language {
  for (const tag of wanted) {
    const found = languages.find((language) => tag.toLowerCase().startsWith(language))
    if (found) return found
  }
  return 'en'
}

// Storage may be forbidden altogether: then a choice lasts as long as the page.
function read<T extends string>(name: string, allowed: readonly T[]): T | undefined {
  try {
    const value = localStorage.getItem(`mybeacon.${name}`)
    return allowed.find((candidate) => candidate === value)
  } catch {
    return undefined
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`mybeacon.${name}`, value)
  } catch {
    // See above.
  }
}
