import { mdiBellOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'
import { useOpenAlerts } from './open'

export default defineModule({
  id: 'ble-alerts',
  title: 'bleAlerts.title',
  icon: mdiBellOutline,
  home: '/alerts',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'bleAlerts.title', icon: mdiBellOutline, to: '/alerts', group: 'products', useBadge: useOpenAlerts }],
  routes: [
    { path: 'alerts', name: 'ble-alerts', component: () => import('./views/AlertsView.vue'), meta: { title: 'bleAlerts.title' } },
    { path: 'alerts/rules', name: 'ble-alert-rules', component: () => import('./views/RulesView.vue'), meta: { title: 'bleAlerts.rules.title' } },
    { path: 'alerts/webhooks', name: 'ble-webhooks', component: () => import('./views/WebhooksView.vue'), meta: { title: 'bleAlerts.hooks.title' } },
    { path: 'alerts/webhooks/:id', name: 'ble-webhook', component: () => import('./views/WebhookView.vue'), props: true, meta: { title: 'bleAlerts.hooks.one' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
