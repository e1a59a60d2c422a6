import { mdiAccessPoint, mdiKeyVariant } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'devices',
  title: 'devices.title',
  icon: mdiAccessPoint,
  home: '/devices',
  action: 'view',
  nav: [
    { title: 'devices.title', icon: mdiAccessPoint, to: '/devices', group: 'organisation' },
    { title: 'devices.claims.title', icon: mdiKeyVariant, to: '/claims', group: 'system', admin: true },
  ],
  routes: [
    { path: 'devices', name: 'devices', component: () => import('./views/DevicesView.vue') },
    { path: 'devices/:id', name: 'device', component: () => import('./views/DeviceView.vue'), props: true, meta: { title: 'devices.one' } },
    { path: 'claims', name: 'claims', component: () => import('./views/ClaimsView.vue'), meta: { admin: true, title: 'devices.claims.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
