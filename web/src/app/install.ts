import { createPinia } from 'pinia'
import { type App, watch } from 'vue'
import { apiKey, createApi } from '@/api/client'
import { useReachStore } from '@/api/reach'
import { useSessionStore } from '@/api/session'
import { useLiveStore } from '@/live/store'
import { createConsoleI18n, useLanguage } from './i18n'
import { usePreferences } from './preferences'
import { createConsoleRouter } from './router'
import { createConsoleVuetify } from './vuetify'

/** Puts everything the shell offers into an application that is not mounted yet. */
export async function install(app: App): Promise<App> {
  const pinia = createPinia()
  const router = createConsoleRouter()
  const i18n = createConsoleI18n()
  const reach = useReachStore(pinia)
  const api = createApi({
    onReach: (answered) => (answered ? reach.noteAnswer() : reach.noteSilence()),
    onUnauthorised: () => {
      const session = useSessionStore(pinia)
      if (session.state === 'in') void toLogin()
    },
  })
  async function toLogin() {
    useSessionStore(pinia).forget()
    const next = router.currentRoute.value.fullPath
    await router.push({ name: 'login', query: { next, expired: '' } })
  }
  app.provide(apiKey, api).use(pinia).use(i18n).use(createConsoleVuetify(i18n))

  // The socket may learn first that the session has ended.
  app.runWithContext(() => {
    const live = useLiveStore()
    watch(() => live.status.kind, (kind) => kind === 'unauthorised' && !live.isGuest && toLogin())
  })
  const preferences = usePreferences(pinia)
  await useLanguage(i18n, preferences.language)
  watch(() => preferences.language, (language) => useLanguage(i18n, language))
  // Who changes the language of the account means this browser, too. What the
  // account has from before does not overrule what was chosen here.
  app.runWithContext(() => watch(() => useSessionStore().user?.language, (language, before) => language && before && preferences.speak(language)))
  return app.use(router)
}
