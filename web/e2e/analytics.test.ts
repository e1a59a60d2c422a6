import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { serious } from './axe'
import { closePages, launch, openRoom, server } from './browser'
import { ask, speakEnglish } from './rooms'

let browser: Browser
let location = ''

interface Visits { items: { tag_name: string; zone_name: string; zone: string }[] }

beforeAll(async () => {
  browser = await launch()
  await speakEnglish(browser)
  const { context } = await openRoom(browser, '/jobs')
  const { items } = await ask<{ items: { id: string; plans: object[] }[] }>(context.request, 'GET', '/client/locations?limit=200')
  location = items.find(({ plans }) => plans.length > 0)!.id
  // Routes need somebody who has been in two zones.
  await vi.waitUntil(async () => (await ask<{ links: object[] }>(context.request, 'GET', `/client/ble/routes?location=${location}`)).links.length > 3, { timeout: 120_000, interval: 1000 })
  await closePages()
}, 180_000)
afterEach(closePages)
afterAll(() => browser.close())

const address = (more = '') => `/analytics/${location}?range=today${more}`
const tab = (page: Page) => new URL(page.url()).searchParams.get('tab')

describe('the analytics', () => {
  it('show figures, and lead from each to the visits behind it', async () => {
    const { page, problems } = await openRoom(browser, address('&compare=previous'))
    const visits = page.locator('[data-tile=visits]')
    await expect.poll(async () => Number.parseInt((await visits.locator('strong').textContent().catch(() => ''))?.replace(/\D/g, '') ?? '', 10)).toBeGreaterThan(0)
    await page.getByText(/^Compared with /).waitFor()
    await visits.click()
    await page.locator('[data-row]').first().waitFor()
    expect(tab(page)).toBe('visits')
    expect(problems).toEqual([])
  })

  it('list the visits that the server has', async () => {
    const { page } = await openRoom(browser, address('&tab=visits'))
    await page.locator('[data-row]').first().waitFor()
    await page.getByLabel('Order').first().click({ force: true })
    await page.getByRole('option', { name: 'Oldest first' }).click()
    // The oldest do not change while the demo goes on.
    const { items } = await ask<Visits>(page.context().request, 'GET', `/client/ble/visits?location=${location}&limit=3`)
    for (const [index, { tag_name, zone_name }] of items.entries()) {
      await expect.poll(() => page.locator('[data-row]').nth(index).textContent()).toContain(tag_name)
      expect(await page.locator('[data-row]').nth(index).textContent()).toContain(zone_name)
    }
  })

  it('have a table behind a chart, whose rows lead on', async () => {
    const { page } = await openRoom(browser, address())
    await page.getByRole('button', { name: 'Show as table: Time per zone' }).click()
    const row = page.getByRole('region', { name: 'Time per zone' }).locator('tbody button').filter({ hasNotText: 'Outside' }).first()
    const name = await row.textContent()
    await row.click()
    await page.waitForURL(/tab=visits/)
    await page.locator('[data-row]').first().waitFor()
    expect(new URL(page.url()).searchParams.get('zone')).toBeTruthy()
    await expect.poll(async () => new Set(await page.locator('[data-row] td:nth-child(2)').allTextContents()).size).toBe(1)
    expect(await page.locator('[data-row] td:nth-child(2)').first().textContent()).toBe(name)
  })

  it('draw every chart', async () => {
    const { page, problems } = await openRoom(browser, address())
    for (const [name, charts] of [['overview', 2], ['tags', 3], ['routes', 1]] as const) {
      await page.goto(server + address(name === 'overview' ? '' : `&tab=${name}`))
      await page.locator('[data-testid=chart] canvas').nth(charts - 1).waitFor({ timeout: 20_000 })
    }
    expect(problems).toEqual([])
  })

  it('show zones on the plan, and lead from a zone to its visits and from a visit to its playback', async () => {
    const { page } = await openRoom(browser, address('&tab=map'))
    await page.locator('[data-testid=zone-map] [data-zone]').first().click()
    await page.waitForURL(/tab=visits/)
    await page.goto(server + address('&tab=visits'))
    await page.getByRole('link', { name: /^Play the visit of / }).first().click()
    await page.waitForURL(/\/history\/.+from=.+tag=/)
  })

  it('export with the filter that is set', async () => {
    const { page } = await openRoom(browser, address('&type=person'))
    await page.getByRole('button', { name: 'Export' }).click()
    for (const format of ['csv', 'json', 'parquet']) {
      const link = new URL(await page.locator(`[data-export=${format}]`).getAttribute('href') ?? '', server)
      expect([link.searchParams.get('format'), link.searchParams.get('type'), link.searchParams.get('location')]).toEqual([format, 'person', location])
      const answer = await page.context().request.get(link.href)
      expect(answer.status(), `${format}: ${answer.ok() ? '' : await answer.text()}`).toBe(200)
    }
    await page.getByText('The export is noted in the history of exports').waitFor()
  })

  it('say what to do when there is nothing', async () => {
    const { page } = await openRoom(browser, `/analytics/${location}?from=2020-01-01&to=2020-01-02`)
    await page.getByText('Nothing was recorded for this choice. Choose other days').first().waitFor()
  })

  it('open at once from another room', async () => {
    const { page } = await openRoom(browser, address())
    const menu = page.getByRole('navigation', { name: 'Sections' })
    const go = async (name: string, ready: string) => {
      const begin = Date.now()
      await menu.getByRole('link', { name, exact: true }).click()
      await page.locator(ready).first().waitFor()
      return Date.now() - begin
    }
    const rooms = [['History', '.player'], ['Analytics', '.analytics-tabs']] as const
    for (const [name, ready] of rooms) await go(name, ready)
    const times: number[] = []
    for (let i = 0; i < 3; i++) for (const [name, ready] of rooms) times.push(await go(name, ready))
    const median = times.sort((a, b) => a - b)[times.length >> 1]!
    process.stdout.write(`from room to room: median ${median} ms of ${times.join(', ')}\n`)
    // The aim is 200 ms; a machine that does other things at the same time is not what is tested.
    expect(median).toBeLessThan(1000)
  })
})

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const views: [string, BrowserContextOptions][] = [
  ['a light desktop', {}], ['a dark desktop', { colorScheme: 'dark' }], ['a light phone', phone], ['a dark phone', { ...phone, colorScheme: 'dark' }],
]
const ready: Record<string, string> = { overview: '.tiles strong', tags: '[data-testid=chart]', presence: '[data-row]', routes: '[data-row]', map: '[data-testid=zone-map]', visits: '[data-row]' }

describe.each(views)('on %s', (_, options) => {
  it('no part of the analytics has a serious fault, and all fit', async () => {
    const { page, problems } = await openRoom(browser, address(), { ...options, reducedMotion: 'reduce' })
    const found: string[] = []
    for (const [name, sign] of Object.entries(ready)) {
      await page.goto(server + address(name === 'overview' ? '' : `&tab=${name}`))
      await page.locator(sign).first().waitFor({ timeout: 20_000 })
      found.push(...(await serious(page)).map((fault) => `${name}: ${fault}`))
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      if (wider > 0) found.push(`${name} is ${wider} px too wide`)
    }
    expect(found).toEqual([])
    expect(problems).toEqual([])
  })
})
