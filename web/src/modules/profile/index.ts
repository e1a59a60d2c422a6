import { mdiAccountCircleOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

/** One's own account; it is reached through the menu of the person, not the navigation. */
export default defineModule({
  id: 'profile',
  title: 'profile.title',
  icon: mdiAccountCircleOutline,
  home: '/profile',
  nav: [],
  routes: [{ path: 'profile', name: 'profile', component: () => import('./views/ProfileView.vue') }],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
