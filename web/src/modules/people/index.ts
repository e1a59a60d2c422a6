import { mdiAccountGroupOutline, mdiShieldAccountOutline } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'people',
  title: 'people.title',
  icon: mdiAccountGroupOutline,
  home: '/people',
  action: 'manage_users',
  organisation: true,
  nav: [
    { title: 'people.title', icon: mdiAccountGroupOutline, to: '/people', group: 'organisation' },
    { title: 'people.rights.title', icon: mdiShieldAccountOutline, to: '/rights', group: 'organisation', action: 'view' },
  ],
  routes: [
    { path: 'people', name: 'people', component: () => import('./views/PeopleView.vue') },
    { path: 'people/keys', name: 'keys', component: () => import('./views/KeysView.vue'), meta: { title: 'people.keys.title' } },
    { path: 'people/organisation', name: 'organisation', component: () => import('./views/OrganisationView.vue'), meta: { title: 'people.organisation.title' } },
    { path: 'rights', name: 'rights', component: () => import('./views/RightsView.vue'), meta: { action: 'view', title: 'people.rights.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
