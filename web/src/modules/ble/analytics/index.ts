import { mdiChartBoxOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'ble-analytics',
  title: 'bleAnalytics.title',
  icon: mdiChartBoxOutline,
  home: '/analytics',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'bleAnalytics.title', icon: mdiChartBoxOutline, to: '/analytics', group: 'products' }],
  routes: [{ path: 'analytics/:location?', name: 'ble-analytics', component: () => import('./views/AnalyticsView.vue'), meta: { title: 'bleAnalytics.title' } }],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
