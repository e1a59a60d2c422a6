import { mdiCogSyncOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'jobs',
  title: 'jobs.title',
  icon: mdiCogSyncOutline,
  home: '/jobs',
  admin: true,
  nav: [{ title: 'jobs.title', icon: mdiCogSyncOutline, to: '/jobs', group: 'system' }],
  routes: [{ path: 'jobs', name: 'jobs', component: () => import('./views/JobsView.vue') }],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
