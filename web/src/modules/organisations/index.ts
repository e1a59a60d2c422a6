import { mdiAccountMultipleOutline, mdiDomain } from '@mdi/js'
import { defineModule } from '@/kit/module'
import { usePendingCount } from './pending'

export default defineModule({
  id: 'organisations',
  title: 'organisations.title',
  icon: mdiDomain,
  home: '/organisations',
  admin: true,
  nav: [
    { title: 'organisations.title', icon: mdiDomain, to: '/organisations', group: 'system', useBadge: usePendingCount },
    { title: 'organisations.users.title', icon: mdiAccountMultipleOutline, to: '/users', group: 'system' },
  ],
  routes: [
    { path: 'organisations', name: 'organisations', component: () => import('./views/OrganisationsView.vue') },
    { path: 'organisations/:id', name: 'organisation-detail', component: () => import('./views/OrganisationView.vue'), props: true, meta: { title: 'organisations.one' } },
    { path: 'users', name: 'users', component: () => import('./views/UsersView.vue'), meta: { title: 'organisations.users.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
