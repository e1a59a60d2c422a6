import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closePages, launch, open, openMap, server } from './browser'

let browser: Browser
beforeAll(async () => void (browser = await launch()))
afterEach(closePages)
afterAll(() => browser.close())

interface Snapshot { messages: { tags: { id: string; name: string; plan: string; x_m: number; y_m: number }[] }[] }

describe('the live map', () => {
  it('goes on over plain HTTP where no socket opens, and shows what the API says', async () => {
    const { page, context } = await openMap(browser)
    const address = page.url()
    await page.close()
    const blocked = await context.newPage()
    await blocked.routeWebSocket(/\/api\/v1\/live/, (socket) => socket.close())
    await blocked.goto(address)
    await blocked.waitForSelector('[data-testid=connection][data-state=polling]')
    await blocked.waitForSelector('[data-tag]', { state: 'attached' })
    const [location = '', plan] = new URL(address).pathname.split('/').slice(2)
    const { messages } = await (await context.request.get(`${server}/api/v1/live/snapshot?location=${location}`)).json() as Snapshot
    const told = messages.flatMap(({ tags }) => tags).filter((tag) => tag.plan === plan)
    const drawn = await blocked.$$eval('[data-tag]', (all) => all.map((e) => (e as HTMLElement).dataset.tag ?? ''))
    expect(told.length).toBeGreaterThan(0)
    expect(told.map(({ id }) => id).filter((id) => !drawn.includes(id))).toEqual([])
  })
})

describe('a link to the live map', () => {
  it('opens one map without names, leaves nobody logged in, and ends when it is revoked', async () => {
    const owner = await openMap(browser)
    const [location = ''] = new URL(owner.page.url()).pathname.split('/').slice(2)
    const snapshot = await (await owner.context.request.get(`${server}/api/v1/live/snapshot?location=${location}`)).json() as Snapshot
    const names = snapshot.messages.flatMap(({ tags }) => tags.map(({ name }) => name))
    const locations = await (await owner.context.request.get(`${server}/api/v1/client/locations`)).json() as { items: { id: string; organisation_id: string }[] }
    const organisation_id = locations.items.find(({ id }) => id === location)?.organisation_id
    const me = `${server}/api/v1/auth/acting`
    await owner.context.request.put(me, { data: { organisation_id, reason: 'a test of links' } })
    const made = await owner.context.request.post(`${server}/api/v1/client/ble/shares`, { data: { location, expires_in_hours: 1 } })
    const { id, url } = await made.json() as { id: string; url: string }
    const guest = await open(browser)
    await guest.page.goto(server + url)
    await guest.page.waitForSelector('[data-tag]', { state: 'attached' })
    expect(await guest.context.cookies()).toEqual([])
    const text = await guest.page.locator('[data-testid=wall]').innerText()
    expect(names.filter((name) => text.includes(name))).toEqual([])
    await owner.context.request.delete(`${server}/api/v1/client/ble/shares/${id}`)
    await guest.page.waitForSelector('[data-testid=shared-state][data-state=revoked]', { timeout: 8000 })
    await owner.context.request.delete(me)
  })
})
