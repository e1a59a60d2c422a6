import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serious } from './axe'
import { closePages, launch, open, openMap, type WatchedPage } from './browser'

let browser: Browser
beforeAll(async () => void (browser = await launch()))
afterEach(closePages)
afterAll(() => browser.close())

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const views: [string, BrowserContextOptions][] = [
  ['a light desktop', {}],
  ['a dark desktop', { colorScheme: 'dark' }],
  ['a light phone', phone],
  ['a dark phone in Russian', { ...phone, colorScheme: 'dark', locale: 'ru' }],
]

describe.each(views)('on %s', (_, options) => {
  it('the login has no serious fault', async () => {
    const { page, problems } = await open(browser, options)
    await page.waitForSelector('input[name=email]')
    expect(await serious(page)).toEqual([])
    expect(problems).toEqual([])
  })

  it('the map has no serious fault, also with a tag chosen', async () => {
    const { page, problems } = await openMap(browser, options)
    expect(await serious(page)).toEqual([])
    await page.locator('[data-tag-row]').first().click()
    await page.waitForSelector('[data-testid=tag-card]')
    expect(await serious(page)).toEqual([])
    expect(problems).toEqual([])
  })

  it('nothing is wider than the screen', async () => {
    const { page } = await openMap(browser, options)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
  })
})

describe('the phone', () => {
  it('has the map above and the list in a sheet that opens and closes', async () => {
    const { page } = await openMap(browser, phone)
    const top = async () => (await page.locator('.bottom-sheet').boundingBox())?.y ?? 0
    const half = await top()
    expect(half).toBeGreaterThan(300)
    await page.locator('.bottom-sheet__head').click()
    await expect.poll(top).toBeLessThan(half - 100)
    await page.locator('.bottom-sheet__head').click()
    await expect.poll(top).toBeGreaterThan(half + 100)
  })
})

describe('the menus', () => {
  async function choose({ page }: WatchedPage, menu: RegExp, entry: string) {
    await page.getByRole('button', { name: menu }).click()
    await page.getByRole('listitem').or(page.getByRole('option')).or(page.locator('.v-list-item')).filter({ hasText: entry }).first().click()
  }

  it('switch the language, and the choice lasts', async () => {
    const watched = await openMap(browser)
    await choose(watched, /Language:/, 'Русский')
    await watched.page.getByRole('tab', { name: /Метки/ }).waitFor()
    expect(await watched.page.getAttribute('html', 'lang')).toBe('ru')
    await watched.page.reload()
    await watched.page.getByRole('tab', { name: /Метки/ }).waitFor()
    expect(watched.problems).toEqual([])
  })

  it('switch the theme, and the choice lasts', async () => {
    const watched = await openMap(browser, { colorScheme: 'light' })
    const floor = () => watched.page.locator('.plan-floor').evaluate((element) => getComputedStyle(element).fill)
    expect(await floor()).toBe('rgb(229, 242, 229)')
    await choose(watched, /^Theme/, 'Dark')
    await expect.poll(floor).toBe('rgb(28, 42, 37)')
    await watched.page.reload()
    await watched.page.waitForSelector('.plan-floor', { state: 'attached' })
    expect(await floor()).toBe('rgb(28, 42, 37)')
  })
})
