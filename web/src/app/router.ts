import { createRouter, createWebHistory, type RouteLocationNormalized, type Router, type RouteRecordRaw } from 'vue-router'
import { useSessionStore } from '@/api/session'
import type { ConsoleModule, Requirement } from '@/kit/module'
import { homeOf } from './navigation'
import { modules } from './registry'

declare module 'vue-router' {
  interface RouteMeta extends Requirement {
    /** Reachable without a session. */
    open?: boolean
    /** Of no use to somebody who is logged in. */
    guest?: boolean
    /** Key of the page's title. */
    title?: string
  }
}

export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('./auth/LoginView.vue'), meta: { open: true, guest: true, title: 'login.title' } },
      {
        path: '/',
        component: () => import('./layouts/ShellLayout.vue'),
        children: [
          { path: '', name: 'home', component: () => import('./rooms/HomeView.vue') },
          ...modules.flatMap(pagesOf),
          { path: ':rest(.*)*', name: 'missing', component: () => import('./rooms/NotFoundView.vue'), meta: { title: 'app.notFound.title' } },
        ],
      },
    ],
  })
  router.beforeEach(guard)
  return router
}

/** A module's pages ask for what the module asks for, unless they say otherwise. */
export function pagesOf({ product, action, admin, organisation, title, routes }: ConsoleModule): RouteRecordRaw[] {
  return routes.map((route) => ({ ...route, meta: { product, action, admin, organisation, title, ...route.meta } }))
}

async function guard(to: RouteLocationNormalized) {
  const session = useSessionStore()
  if (session.state === 'unknown') await session.load()
  if (to.meta.open) return session.state === 'in' && to.meta.guest ? pathAfterLogin(to.query.next) : true
  if (session.state === 'out') return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  // While the server is away App.vue says so and asks again; the path stays.
  if (session.state !== 'in') return true
  return to.name === 'home' && session.me ? homeOf(session.me) : true
}

/** Only paths of this console: a foreign address in a link must lead nowhere. */
export function pathAfterLogin(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
