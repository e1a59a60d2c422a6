import { mdiHistory } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'ble-history',
  title: 'bleHistory.title',
  icon: mdiHistory,
  home: '/history',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'bleHistory.title', icon: mdiHistory, to: '/history', group: 'products' }],
  routes: [{ path: 'history/:location?/:plan?', name: 'ble-history', component: () => import('./views/HistoryView.vue'), meta: { title: 'bleHistory.title' } }],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
