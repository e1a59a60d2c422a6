import { mdiEmailOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'outbox',
  title: 'outbox.title',
  icon: mdiEmailOutline,
  home: '/outbox',
  admin: true,
  nav: [{ title: 'outbox.title', icon: mdiEmailOutline, to: '/outbox', group: 'system' }],
  routes: [{ path: 'outbox', name: 'outbox', component: () => import('./views/OutboxView.vue') }],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
