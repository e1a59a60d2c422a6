import type { APIRequestContext, Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serious } from './axe'
import { closePages, fillLogin, launch, open, openRoom, server } from './browser'
import { adminApi, customer, password } from './people'

let browser: Browser
let api: APIRequestContext
let owner: string
let organisation: string
beforeAll(async () => {
  browser = await launch()
  api = await adminApi()
  ;({ owner, id: organisation } = await customer(api))
})
afterEach(closePages)
afterAll(async () => {
  await api.dispose()
  await browser.close()
})

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const views: [string, BrowserContextOptions][] = [
  ['a light desktop', { reducedMotion: 'reduce' }],
  ['a dark desktop', { colorScheme: 'dark', reducedMotion: 'reduce' }],
  ['a dark phone in Russian', { ...phone, colorScheme: 'dark', locale: 'ru', reducedMotion: 'reduce' }],
]

/** The pages of an account have nothing axe finds serious, and fit the screen. */
async function visit(paths: string[], { page, problems }: Awaited<ReturnType<typeof open>>) {
  const found: string[] = []
  for (const path of paths) {
    await page.goto(server + path)
    await page.waitForLoadState('networkidle')
    found.push(...(await serious(page)).map((fault) => `${path}: ${fault}`))
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    if (wider > 0) found.push(`${path} is ${wider} px too wide`)
  }
  expect(found).toEqual([])
  expect(problems.filter((problem) => !/status of 404/.test(problem))).toEqual([])
}

describe.each(views)('on %s', (_, options) => {
  it('the pages without a session', async () => {
    await visit(['/login', '/register', '/forgot', '/password', '/confirm'], await open(browser, options))
  })

  it('the pages of an owner', async () => {
    const watched = await open(browser, options)
    await fillLogin(watched.page, owner, password)
    await watched.page.waitForSelector('.shell-bar')
    await visit(['/people', '/people/keys', '/people/organisation', '/rights', '/profile', '/waiting', '/nowhere'], watched)
  })

  it('the pages of a super-admin', async () => {
    await visit(['/setup', '/organisations', `/organisations/${organisation}`, '/users', '/people', '/profile'], await openRoom(browser, '/setup', options))
  })
})
