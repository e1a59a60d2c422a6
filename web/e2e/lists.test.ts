import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serious } from './axe'
import { closePages, launch, openRoom, server } from './browser'
import { ask } from './rooms'

let browser: Browser
beforeAll(async () => void (browser = await launch()))
afterEach(closePages)
afterAll(() => browser.close())

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const views: [string, BrowserContextOptions][] = [
  ['a light desktop', { reducedMotion: 'reduce' }],
  ['a dark desktop', { colorScheme: 'dark', reducedMotion: 'reduce' }],
  ['a dark phone', { ...phone, colorScheme: 'dark', reducedMotion: 'reduce' }],
]
const rooms = ['/devices', '/devices?query=no-such-device', '/claims', '/audit', '/audit/system', '/outbox', '/jobs']

describe.each(views)('on %s', (_, options) => {
  it('the lists and what they lead to have no serious fault, and fit the screen', async () => {
    const { page, problems } = await openRoom(browser, rooms[0]!, options)
    const { items } = await ask<{ items: { id: string }[] }>(page.context().request, 'GET', '/admin/devices?limit=1')
    const found: string[] = []
    for (const path of [...rooms, `/devices/${items[0]!.id}`]) {
      await page.goto(server + path)
      await page.locator('.page-frame :is([data-row], .state-panel, .fact-list)').first().waitFor()
      found.push(...(await serious(page)).map((fault) => `${path}: ${fault}`))
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      if (wider > 0) found.push(`${path} is ${wider} px too wide`)
    }
    expect(found).toEqual([])
    expect(problems).toEqual([])
  })
})
