import { createRouter, createWebHistory, type Router, type RouteLocationNormalized } from 'vue-router'
import { useSessionStore } from '@/api/session'
import { modules } from './registry'

declare module 'vue-router' {
  interface RouteMeta {
    /** Reachable without a session. */
    open?: boolean
    /** The product without which the route does not exist. */
    product?: string
  }
}

export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('./auth/LoginView.vue'), meta: { open: true } },
      {
        path: '/',
        component: () => import('./layouts/ShellLayout.vue'),
        children: [
          { path: '', redirect: modules[0]?.home ?? '/nothing' },
          ...modules.flatMap((module) =>
            module.routes.map((route) => ({ ...route, meta: { ...route.meta, product: module.product } })),
          ),
          { path: ':rest(.*)*', component: () => import('./NotFoundView.vue') },
        ],
      },
    ],
  })
  router.beforeEach(guard)
  return router
}

async function guard(to: RouteLocationNormalized) {
  const session = useSessionStore()
  if (session.state === 'unknown') await session.load()
  if (to.meta.open) return session.state === 'in' && to.name === 'login' ? pathAfterLogin(to.query.next) : true
  // While the server is away App.vue says so and asks again; the path stays.
  if (session.state !== 'out') return true
  return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
}

/** Only paths of this console: a foreign address in a link must lead nowhere. */
export function pathAfterLogin(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
