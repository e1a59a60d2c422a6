import { mdiClipboardTextClockOutline, mdiServerSecurity } from '@mdi/js'
import { defineModule } from '@/kit/module'

export default defineModule({
  id: 'audit',
  title: 'audit.title',
  icon: mdiClipboardTextClockOutline,
  home: '/audit',
  action: 'read_audit',
  nav: [
    { title: 'audit.title', icon: mdiClipboardTextClockOutline, to: '/audit', group: 'organisation' },
    { title: 'audit.system.title', icon: mdiServerSecurity, to: '/audit/system', group: 'system', admin: true },
  ],
  routes: [
    { path: 'audit', name: 'audit', component: () => import('./views/AuditView.vue') },
    { path: 'audit/system', name: 'system-audit', component: () => import('./views/SystemAuditView.vue'), meta: { admin: true, title: 'audit.system.title' } },
  ],
  messages: {
    en: () => import('./locales/en.json'),
    ru: () => import('./locales/ru.json'),
  },
})
