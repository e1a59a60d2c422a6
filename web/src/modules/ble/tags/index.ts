import { mdiTagMultipleOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'ble-tags',
  title: 'bleTags.title',
  icon: mdiTagMultipleOutline,
  home: '/ble/tags',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'bleTags.title', icon: mdiTagMultipleOutline, to: '/ble/tags', group: 'products' }],
  routes: [
    { path: 'ble/tags', name: 'ble-tags', component: () => import('./views/TagsView.vue'), meta: { title: 'bleTags.title' } },
    { path: 'ble/tags/nearby', name: 'ble-tags-nearby', component: () => import('./views/NearbyView.vue'), meta: { title: 'bleTags.nearby.title' } },
    { path: 'ble/tags/:id', name: 'ble-tag', component: () => import('./views/TagView.vue'), props: true, meta: { title: 'bleTags.one' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
