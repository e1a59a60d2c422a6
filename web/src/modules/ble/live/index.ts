import { mdiMapMarkerRadiusOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'ble',
  title: 'ble.title',
  icon: mdiMapMarkerRadiusOutline,
  home: '/map',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'ble.title', icon: mdiMapMarkerRadiusOutline, to: '/map', group: 'products' }],
  routes: [{ path: 'map/:location?/:plan?', name: 'ble-map', component: () => import('./views/LiveMapView.vue'), meta: { title: 'ble.title' } }],
  screens: [
    { path: '/wall/:location/:plan?', name: 'ble-wall', component: () => import('./views/WallView.vue'), meta: { title: 'ble.title' } },
    { path: '/shared', name: 'ble-shared', component: () => import('./views/SharedView.vue'), meta: { open: true, title: 'ble.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
