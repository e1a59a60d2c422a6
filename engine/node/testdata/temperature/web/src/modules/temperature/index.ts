import { mdiThermometer } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'temperature',
  title: 'temperature.title',
  icon: mdiThermometer,
  home: '/temperature',
  product: 'temperature',
  action: 'view',
  organisation: true,
  nav: [{ title: 'temperature.title', icon: mdiThermometer, to: '/temperature', group: 'products' }],
  routes: [{ path: 'temperature', name: 'temperature', component: () => import('./SensorsView.vue'), meta: { title: 'temperature.title' } }],
  messages: { en: () => import('./locales/en.json'), ru: () => import('./locales/ru.json') },
})
