import { createPinia, setActivePinia } from 'pinia'
import { createApp, defineComponent } from 'vue'
import { beforeEach, describe, expect, it } from 'vitest'
import { apiKey, createApi } from '@/api/client'
import { useSessionStore } from '@/api/session'
import { meAs } from '@/api/sessiontest/me'
import type { Me } from '@/api/types'
import { createConsoleRouter } from './router'

type Answers = Record<string, { status: number; body?: unknown }>

/** A console whose server answers what the test says. */
function start(answers: Answers) {
  const asked: string[] = []
  const fetch = async (input: RequestInfo | URL) => {
    const { pathname } = new URL((input as Request).url)
    asked.push(pathname)
    const answer = answers[pathname]
    if (!answer) throw new TypeError('no connection')
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status, headers: { 'Content-Type': 'application/json' } })
  }
  const pinia = createPinia()
  const app = createApp(defineComponent({ render: () => null }))
  app.provide(apiKey, createApi({ fetch: fetch as typeof globalThis.fetch, onUnauthorised: () => undefined })).use(pinia)
  setActivePinia(pinia)
  const router = app.runWithContext(() => createConsoleRouter())
  return { router, asked, session: app.runWithContext(() => useSessionStore()) }
}

const as = (me: Me, more: Answers = {}): Answers => ({ '/api/v1/auth/me': { status: 200, body: me }, ...more })
const stranger: Answers = { '/api/v1/auth/me': { status: 401, body: {} } }
const setup = (done: boolean) => ({ '/api/v1/admin/setup': { status: 200, body: { done, steps: [], demo: { available: false, running: false } } } })

// The first way to a page compiles it, which takes its time on a busy machine.
describe('the guard', { timeout: 30_000 }, () => {
  beforeEach(() => void window.history.replaceState(null, '', '/'))

  it('sends a stranger to the login and remembers the way', async () => {
    const { router } = start(stranger)
    await router.push('/map/1?tag=2')
    expect(router.currentRoute.value.fullPath).toBe('/login?next=/map/1?tag=2')
  })

  it('lets a stranger use links from mails', async () => {
    const { router } = start(stranger)
    for (const path of ['/register', '/forgot', '/confirm#t', '/password#t', '/invitation#t']) {
      await router.push(path)
      expect(router.currentRoute.value.fullPath).toBe(path)
    }
  })

  it('leads home by role, product and setup', async () => {
    const homes = async (answers: Answers) => {
      const { router } = start(answers)
      await router.push('/')
      return router.currentRoute.value.path
    }
    expect(await homes(as(meAs({ role: 'viewer' })))).toBe('/map')
    expect(await homes(as(meAs({ role: 'owner', products: [] })))).toBe('/waiting')
    expect(await homes(as(meAs({ superAdmin: true }), setup(false)))).toBe('/setup')
    expect(await homes(as(meAs({ superAdmin: true }), setup(true)))).toBe('/map')
  })

  it('keeps who is logged in away from the login, but not from a link in a mail', async () => {
    const { router } = start(as(meAs({ role: 'viewer' })))
    await router.push('/login?next=/profile')
    expect(router.currentRoute.value.path).toBe('/profile')
    await router.push('/password#t')
    expect(router.currentRoute.value.path).toBe('/password')
  })

  it('stays where it is while the server is away, and asks only once', async () => {
    const { router, session, asked } = start({})
    await router.push('/people')
    expect(session.state).toBe('away')
    expect(router.currentRoute.value.path).toBe('/people')
    await router.push('/rights')
    expect(asked).toEqual(['/api/v1/auth/me'])
  })
})

describe('the session', () => {
  it('knows the organisation that is worked in', async () => {
    const { session } = start(as(meAs({ superAdmin: true, actingIn: 'o2' })))
    await session.load()
    expect(session.organisationId).toBe('o2')
    expect([session.isActing, session.isSuperAdmin, session.can('manage_users')]).toEqual([true, true, true])
  })

  it('keeps what it knew when a quiet question fails, and forgets on 401', async () => {
    const answers = as(meAs({ role: 'admin' }))
    const { session } = start(answers)
    await session.load()
    delete answers['/api/v1/auth/me']
    await session.refresh()
    expect(session.me?.user.role).toBe('admin')
    answers['/api/v1/auth/me'] = { status: 401, body: {} }
    await session.refresh()
    expect(session.state).toBe('out')
  })
})
