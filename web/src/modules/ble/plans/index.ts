import { mdiFloorPlan } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'ble-plans',
  title: 'blePlans.title',
  icon: mdiFloorPlan,
  home: '/plans',
  product: 'ble',
  action: 'view',
  nav: [{ title: 'blePlans.title', icon: mdiFloorPlan, to: '/plans', group: 'products' }],
  routes: [
    { path: 'plans', name: 'ble-plans', component: () => import('./views/PlacesView.vue'), meta: { title: 'blePlans.title' } },
    { path: 'plans/:plan', name: 'ble-plan', component: () => import('./views/PlanView.vue'), meta: { title: 'blePlans.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
