import type { APIRequestContext, Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { serious } from './axe'
import { closePages, fixes, launch, openRoom, server } from './browser'
import { ask, speakEnglish } from './rooms'

let browser: Browser
/** A stretch of the demo's past that will not change any more. */
let past: { location: string; plan: string; from: string; to: string }

interface Located { items: { id: string; plans: { id: string }[] }[] }
interface Events { items: { at: string; tag: string; tag_name: string; zone_name: string }[] }

beforeAll(async () => {
  browser = await launch()
  await speakEnglish(browser)
  const { context } = await openRoom(browser, '/history')
  past = await longEnough(context.request)
  await closePages()
}, 180_000)
afterEach(closePages)
afterAll(() => browser.close())

/** Waits until the demo has walked about for half a minute and somebody has entered a zone in it. */
async function longEnough(request: APIRequestContext): Promise<typeof past> {
  const { items } = await ask<Located>(request, 'GET', '/client/locations?limit=200')
  const found = items.find(({ plans }) => plans.length > 0)!
  const [location, plan] = [found.id, found.plans[0]!.id]
  let events: Events['items'] = []
  await vi.waitUntil(async () => {
    events = (await ask<Events>(request, 'GET', `/client/ble/events?plan=${plan}&kind=enter&limit=200`)).items
    return events.length > 1 && Date.parse(events.at(-1)!.at) - Date.parse(events[0]!.at) > 60_000
  }, { timeout: 120_000, interval: 1000 })
  // A little later, so that the first moment has somebody in it already.
  const from = Date.parse(events[0]!.at) + 10_000
  return { location, plan, from: new Date(from).toISOString(), to: new Date(from + 40_000).toISOString() }
}

const address = (more = '') => `/history/${past.location}/${past.plan}?from=${past.from}&to=${past.to}${more}`
const head = async (page: Page) => Date.parse((await page.getAttribute('[data-testid=clock]', 'datetime'))!)
const isShown = (page: Page) => page.waitForSelector('[data-tag]', { state: 'attached' })

describe('the history', () => {
  it('plays: tags walk, the clock runs, and it ends at the end', async () => {
    const { page, problems } = await openRoom(browser, address('&speed=5&trail=5'))
    await page.getByTestId('play').click()
    await isShown(page)
    const before = await fixes(page)
    await expect.poll(async () => Object.entries(await fixes(page)).filter(([id, place]) => before[id] && before[id] !== place).length, { timeout: 15_000 }).toBeGreaterThan(0)
    await expect.poll(() => page.getAttribute('[data-trails]', 'data-trails').then(Number), { timeout: 15_000 }).toBeGreaterThan(0)
    await expect.poll(() => head(page), { timeout: 30_000 }).toBe(Date.parse(past.to))
    await page.getByRole('button', { name: 'Play (space)' }).waitFor()
    expect(problems).toEqual([])
  })

  it('is played by keys alone', async () => {
    const { page } = await openRoom(browser, address('&speed=1'))
    await page.getByRole('slider', { name: 'Moment' }).focus()
    await page.keyboard.press('End')
    expect(await head(page)).toBe(Date.parse(past.to))
    await page.keyboard.press('Home')
    expect(await head(page)).toBe(Date.parse(past.from))
    await page.keyboard.press('ArrowRight')
    expect(await head(page)).toBe(Date.parse(past.from) + 4000)
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Pause (space)' }).waitFor()
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Play (space)' }).waitFor()
  })

  it('shows whoever opens the link the same moment', async () => {
    const { page } = await openRoom(browser, address('&speed=1'))
    await page.getByRole('slider', { name: 'Moment' }).focus()
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight')
    await isShown(page)
    await page.waitForURL(/at=/)
    const [at, places] = [await head(page), await fixes(page)]
    const other = await openRoom(browser, new URL(page.url()).pathname + new URL(page.url()).search)
    await isShown(other.page)
    expect(await head(other.page)).toBe(at)
    await expect.poll(() => fixes(other.page), { timeout: 15_000 }).toEqual(places)
  })

  it('jumps to an event, and chooses its tag', async () => {
    const { page } = await openRoom(browser, address('&panel=events'))
    const { items } = await ask<Events>(page.context().request, 'GET', `/client/ble/events?plan=${past.plan}&from=${past.from}&to=${past.to}&limit=100`)
    const event = page.locator('[data-event]').nth(items.length - 1)
    expect(await event.textContent()).toContain(items.at(-1)!.tag_name)
    await event.click()
    expect(await head(page)).toBe(Date.parse(items.at(-1)!.at))
    await page.waitForURL((url) => url.searchParams.get('tag') === items.at(-1)!.tag)
    await page.locator(`[data-tag="${items.at(-1)!.tag}"].is-selected`).waitFor({ state: 'attached' })
  })

  it('shows only the tags that are chosen', async () => {
    const { page } = await openRoom(browser, address())
    await isShown(page)
    const row = page.locator('[data-seen]').first()
    const id = await row.getAttribute('data-seen')
    await row.getByRole('checkbox').check()
    await expect.poll(async () => Object.keys(await fixes(page)), { timeout: 15_000 }).toEqual([id])
    expect(new URL(page.url()).searchParams.get('tags')).toBe(id)
  })

  it('has a heat map with its time in words, and a day as stays in zones', async () => {
    const { page, problems } = await openRoom(browser, address())
    await page.getByTestId('heat').click()
    await page.waitForSelector('[data-heat]', { state: 'attached' })
    expect(await page.getByTestId('heat-legend').textContent()).toMatch(/Time per square of [\d.]+ m.*\d+ (sec|min|hr).*All tags together/)
    await page.locator('[data-seen] button').first().click()
    await page.getByRole('tab', { name: 'Day' }).click()
    const stay = page.getByTestId('timeline').getByRole('button').first()
    expect(await stay.getAttribute('aria-label')).toMatch(/, \d+:\d\d.* – .+, \d+ /)
    expect(problems).toEqual([])
  })

  it('says what to do when nobody was there', async () => {
    const { page } = await openRoom(browser, `/history/${past.location}/${past.plan}?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z`)
    await page.getByText('Nobody was on this plan in this time. Choose another time above').waitFor()
  })

  it('says when the plan is not there', async () => {
    const { page } = await openRoom(browser, '/history/00000000-0000-4000-8000-000000000000')
    await page.locator('.state-panel').waitFor()
    expect(new URL(page.url()).origin).toBe(server)
  })
})

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const views: [string, BrowserContextOptions][] = [
  ['a light desktop', {}], ['a dark desktop', { colorScheme: 'dark' }], ['a dark phone', { ...phone, colorScheme: 'dark' }],
]

describe.each(views)('on %s', (_, options) => {
  it.each(['tags', 'events', 'day'])('the history with its %s has no serious fault, and fits', async (panel) => {
    const { page, problems } = await openRoom(browser, address(`&heat=on&panel=${panel}`), { ...options, reducedMotion: 'reduce' })
    await isShown(page)
    expect(await serious(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
    expect(problems).toEqual([])
  })
})
