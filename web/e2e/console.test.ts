import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { admin, closePages, fillLogin, fixes, launch, open, openMap } from './browser'

let browser: Browser
beforeAll(async () => void (browser = await launch()))
afterEach(closePages)
afterAll(() => browser.close())

describe('the login', () => {
  it('refuses a wrong password and says so', async () => {
    const { page, problems } = await open(browser)
    await fillLogin(page, admin.email, 'certainly not this')
    expect(await page.locator('.submit-form__alert').textContent()).toContain('Wrong e-mail or password')
    expect(new URL(page.url()).pathname).toBe('/login')
    expect(problems).toEqual([])
  })

  it('leads to the address that was asked for, and out again', async () => {
    const { page } = await open(browser)
    await page.goto(`${new URL(page.url()).origin}/map?tag=nobody`)
    await page.waitForURL(/\/login\?next=/)
    await fillLogin(page, admin.email, admin.password)
    await page.waitForURL(/\/map\/.+tag=nobody/)
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByText('Log out').click()
    await page.waitForURL(/\/login/)
    await page.goto(`${new URL(page.url()).origin}/map`)
    await page.waitForURL(/\/login\?next=/)
  })
})

describe('the live map', () => {
  it('shows receivers, zones and tags, and the tags move', async () => {
    const { page, problems } = await openMap(browser)
    expect(await page.locator('[data-receiver]').count()).toBeGreaterThan(0)
    expect(await page.locator('[data-zone]').count()).toBeGreaterThan(0)
    expect(await page.locator('.tag-label').first().textContent()).toMatch(/.+, -\d+ dB/)
    const before = await fixes(page)
    await expect.poll(async () => {
      const now = await fixes(page)
      return Object.keys(before).filter((id) => now[id] && now[id] !== before[id]).length
    }, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(problems).toEqual([])
  })

  it('really moves the elements on the screen', async () => {
    const { page } = await openMap(browser)
    const places = () => page.$$eval('[data-tag]', (tags) => tags.map((tag) => (tag as HTMLElement).style.transform).sort().join())
    const before = await places()
    await expect.poll(places, { timeout: 20_000 }).not.toBe(before)
  })

  it('says who a receiver is when it is focused', async () => {
    const { page } = await openMap(browser)
    await page.locator('[data-receiver]').first().focus()
    expect(await page.locator('.leaflet-tooltip').textContent()).toMatch(/^Receiver #\d+ \((online|offline)\)$/)
  })

  it('finds a tag by name, chooses it and lets go with Escape', async () => {
    const { page } = await openMap(browser)
    const row = page.locator('[data-tag-row]').first()
    const name = await row.locator('strong').textContent()
    await page.getByRole('searchbox', { name: 'Find by name' }).fill(String(name).toUpperCase())
    await expect.poll(() => page.locator('[data-tag-row] strong').allTextContents()).toContain(name)
    for (const found of await page.locator('[data-tag-row] strong').allTextContents()) {
      expect(found.toUpperCase()).toContain(String(name).toUpperCase())
    }
    await page.locator('[data-tag-row]').first().press('Enter')
    await page.waitForSelector('[data-testid=tag-card]')
    expect(new URL(page.url()).searchParams.get('tag')).toBeTruthy()
    await page.keyboard.press('Escape')
    await page.waitForSelector('[data-testid=tag-card]', { state: 'detached' })
    await page.getByRole('searchbox', { name: 'Find by name' }).fill('no such name anywhere')
    await page.getByText('Nothing matches').waitFor()
  })

  it('follows a chosen tag', async () => {
    const { page } = await openMap(browser)
    await page.locator('[data-tag-row]').first().click()
    await page.getByRole('button', { name: 'Follow' }).click()
    const middle = async () => {
      const tag = await page.locator('[data-tag].is-selected .tag-avatar').boundingBox()
      const map = await page.locator('.plan-map').boundingBox()
      if (!tag || !map) return Number.POSITIVE_INFINITY
      return Math.hypot(tag.x + tag.width / 2 - map.x - map.width / 2, tag.y + tag.height / 2 - map.y - map.height / 2)
    }
    await expect.poll(middle, { timeout: 20_000 }).toBeLessThan(120)
  })

  it('counts the same in the zones as on the map', async () => {
    const { page } = await openMap(browser)
    await page.getByRole('tab', { name: /Zones/ }).click()
    const rows = await page.locator('[data-zone-row]').count()
    expect(rows).toBe(await page.locator('[data-zone]').count())
  })
})
