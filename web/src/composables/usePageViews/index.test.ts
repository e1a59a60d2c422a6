import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { usePageViews } from '.'
import type { PageView } from './queue'

const nothing = defineComponent(() => () => h('div'))
let status = 204
let asked: PageView[][]
let beacons: Blob[]

async function start() {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/password', component: nothing, meta: { open: true } },
      { path: '/:rest(.*)*', component: nothing },
    ],
  })
  await router.push('/devices?query=secret#token')
  const app = createApp(defineComponent(() => {
    usePageViews({ who: 'anna', titleOf: (route) => `Title of ${route.path}` })
    return () => h('div')
  }))
  app.use(router).mount(document.createElement('div'))
  await router.isReady()
  await Promise.resolve()
  return { router, app }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1000 })
  sessionStorage.clear()
  status = 204
  asked = []
  beacons = []
  vi.stubGlobal('fetch', (_: string, { body }: { body: string }) => {
    asked.push((JSON.parse(body) as { views: PageView[] }).views)
    return Promise.resolve(new Response(null, { status }))
  })
  Object.defineProperty(navigator, 'sendBeacon', { configurable: true, value: (_: string, body: Blob) => beacons.push(body) > 0 })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('usePageViews', () => {
  it('tells paths and titles, without what follows them', async () => {
    const { router, app } = await start()
    await router.push('/devices?query=other')
    await router.push('/audit')
    await router.push('/password#secret')
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked.flat().map(({ page, title }) => [page, title])).toEqual([['/devices', 'Title of /devices'], ['/audit', 'Title of /audit']])
    expect(JSON.stringify(asked)).not.toMatch(/secret|token/)
    expect(asked.flat()[0]?.at).toBe('1970-01-01T00:00:01.000Z')
    app.unmount()
  })

  it('hands over by a beacon of text when the page goes', async () => {
    const { app } = await start()
    window.dispatchEvent(new Event('pagehide'))
    expect(asked).toEqual([])
    expect([beacons.length, beacons[0]?.type]).toEqual([1, 'text/plain'])
    expect((JSON.parse(await beacons[0]!.text()) as { views: PageView[] }).views[0]?.page).toBe('/devices')
    app.unmount()
  })

  it.each([[401, 1], [429, 1], [503, 1], [400, 0], [403, 0], [404, 0]])('after %i keeps %i', async (answer, kept) => {
    status = answer
    const { app } = await start()
    await vi.advanceTimersByTimeAsync(1600)
    expect(asked.length).toBe(1)
    expect(JSON.parse(sessionStorage.getItem('mybeacon.views.anna') ?? '[]')).toHaveLength(kept)
    app.unmount()
  })

  it('ends with its scope, and sends what is left', async () => {
    const { router, app } = await start()
    app.unmount()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.flat().map(({ page }) => page)).toEqual(['/devices'])
    await router.push('/later')
    await vi.advanceTimersByTimeAsync(100_000)
    expect(asked.length).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
