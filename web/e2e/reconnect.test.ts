import type { Browser, WebSocketRoute } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closePages, launch, openMap, server } from './browser'

let browser: Browser
beforeAll(async () => void (browser = await launch()))
afterEach(closePages)
afterAll(() => browser.close())

const stateOf = (page: { getAttribute: (selector: string, name: string) => Promise<string | null> }) => page.getAttribute('[data-testid=connection]', 'data-state')

describe('the connection', () => {
  it('comes back by itself after the network was away', async () => {
    const { page, context } = await openMap(browser)
    await expect.poll(() => stateOf(page)).toBe('online')
    await context.setOffline(true)
    await expect.poll(() => stateOf(page)).toBe('offline')
    expect(await page.locator('[data-tag]').count()).toBeGreaterThan(0)
    await context.setOffline(false)
    await expect.poll(() => stateOf(page), { timeout: 20_000 }).toBe('online')
  })

  it('counts down, and comes back, after the server was away', async () => {
    const { page } = await openMap(browser)
    let isAway = false
    let current: WebSocketRoute | undefined
    await page.routeWebSocket(/\/api\/v1\/live/, (route) => {
      if (isAway) {
        void route.close({ code: 1011 })
        return
      }
      route.connectToServer()
      current = route
    })
    await page.reload()
    await expect.poll(() => stateOf(page)).toBe('online')
    isAway = true
    await current?.close({ code: 1011 })
    await page.getByText(/Reconnecting in \d+ s/).waitFor()
    isAway = false
    await page.getByRole('button', { name: 'Reconnect now' }).click()
    await expect.poll(() => stateOf(page), { timeout: 20_000 }).toBe('online')
  })

  it.each([
    [4403, /No access to this map/],
    [4401, /Your session has ended/],
  ])('close code %i is told to the person', async (code, text) => {
    const { page } = await openMap(browser)
    await page.routeWebSocket(/\/api\/v1\/live/, (route) => void route.close({ code }))
    await page.reload()
    await page.getByText(text).first().waitFor()
    if (code === 4401) expect(page.url()).toMatch(/\/login\?next=.*map/)
  })

  it('says when the server itself is away, and goes on when it is back', async () => {
    const { page } = await openMap(browser)
    await page.route(`${server}/api/**`, (route) => route.abort())
    await page.reload()
    await page.getByText('The server does not answer').waitFor()
    await page.unroute(`${server}/api/**`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.waitForSelector('[data-tag]', { state: 'attached' })
  })
})
