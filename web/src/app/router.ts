import { createRouter, createWebHistory, type RouteLocationNormalized, type Router, type RouteRecordRaw } from 'vue-router'
import { useSessionStore } from '@/api/session'
import type { Me } from '@/api/types'
import type { ConsoleModule, Requirement } from '@/kit/module'
import { homeOf } from './navigation'
import { modules } from './registry'
import { useSetupStore } from './setup/store'

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

const authPages: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('./auth/LoginView.vue'), meta: { open: true, guest: true, title: 'login.title' } },
  { path: '/register', name: 'register', component: () => import('./auth/RegisterView.vue'), meta: { open: true, guest: true, title: 'register.title' } },
  { path: '/forgot', name: 'forgot', component: () => import('./auth/ForgotView.vue'), meta: { open: true, title: 'forgot.title' } },
  { path: '/confirm', name: 'confirm', component: () => import('./auth/ConfirmView.vue'), meta: { open: true, title: 'confirm.title' } },
  { path: '/password', name: 'password', component: () => import('./auth/PasswordView.vue'), meta: { open: true, title: 'setPassword.title' } },
  { path: '/invitation', name: 'invitation', component: () => import('./auth/PasswordView.vue'), meta: { open: true, title: 'invitation.title' } },
]

export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/welcome', redirect: '/login', component: () => import('./layouts/AuthLayout.vue'), children: authPages },
      ...modules.flatMap(screensOf),
      {
        path: '/',
        component: () => import('./layouts/ShellLayout.vue'),
        children: [
          { path: '', name: 'home', component: () => import('./rooms/HomeView.vue') },
          { path: 'waiting', name: 'waiting', component: () => import('./rooms/WaitingView.vue'), meta: { title: 'waiting.title' } },
          { path: 'setup', name: 'setup', component: () => import('./setup/SetupView.vue'), meta: { title: 'setup.title', admin: true } },
          ...modules.flatMap(pagesOf),
          { path: ':rest(.*)*', name: 'missing', component: () => import('./rooms/NotFoundView.vue'), meta: { title: 'app.notFound.title' } },
        ],
      },
    ],
  })
  router.beforeEach(guard)
  router.onError((error, to) => reloadOnce(error, to.fullPath))
  return router
}

/** A module's pages ask for what the module asks for, unless they say otherwise. */
export function pagesOf({ product, action, admin, organisation, title, routes }: ConsoleModule): RouteRecordRaw[] {
  return routes.map((route) => ({ ...route, meta: { product, action, admin, organisation, title, ...route.meta } }))
}

/** A module's pages that have no shell around them. */
function screensOf({ product, action, admin, organisation, title, screens = [] }: ConsoleModule): RouteRecordRaw[] {
  return screens.map((route) => ({ ...route, meta: route.meta?.open ? route.meta : { product, action, admin, organisation, title, ...route.meta } }))
}

async function guard(to: RouteLocationNormalized) {
  const session = useSessionStore()
  if (session.state === 'unknown') await session.load()
  if (to.meta.open) return session.state === 'in' && to.meta.guest ? pathAfterLogin(to.query.next) : true
  if (session.state === 'out') return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  // While the server is away App.vue says so and asks again; the path stays.
  if (session.state !== 'in') return true
  return to.name === 'home' && session.me ? beginning(session.me) : true
}

/** A super-admin is greeted by the assistant until it was gone through or dismissed. */
async function beginning(me: Me): Promise<string> {
  return me.user.super_admin && !(await useSetupStore().isDone()) ? '/setup' : homeOf(me)
}

// After an update of the server the pieces that an open tab still wants are
// gone: the page is loaded anew, once, where the person wanted to go.
function reloadOnce(error: unknown, path: string) {
  if (!/dynamically imported module|module script|preload CSS/i.test(String(error))) return
  const last = Number(sessionStorage.getItem('mybeacon.reloaded') ?? 0)
  if (Date.now() - last < 30_000) return
  sessionStorage.setItem('mybeacon.reloaded', String(Date.now()))
  window.location.assign(path)
}

/** Only paths of this console: a foreign address in a link must lead nowhere. */
export function pathAfterLogin(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
