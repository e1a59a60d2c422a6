import { randomBytes, randomUUID } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closePages, launch, openRoom, server } from './browser'
import { ask, newMAC, speakEnglish } from './rooms'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
  await speakEnglish(browser)
})
afterEach(closePages)
afterAll(() => browser.close())

interface Enrolled { device_id: string; number: number; bound: boolean; token?: string }
interface Found { id: string; name: string; number: number; organisation: string; location_id: string }

/** What a device sends by itself: without anybody's cookie. */
async function knock<T>(path: string, body: object, token?: string): Promise<T> {
  const answer = await fetch(`${server}/api/v1/device/${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

const hear = (token: string) => knock('frames', {
  frames: [{ boot_id: randomUUID(), seq: 1, sent_at: new Date().toISOString(), observations: [{ tag: { mac: newMAC() }, rssi_dbm: -60 }] }],
}, token)

const rowOf = (page: Page, id: string) => page.locator(`[data-row="${id}"]`)
const dialog = (page: Page) => page.locator('.v-overlay--active .v-card')

async function pick(page: Page, label: string, text: string) {
  const field = dialog(page).getByLabel(label, { exact: false }).first()
  await field.fill(text)
  await page.getByRole('option', { name: text }).first().click()
}

describe('a device', () => {
  it('is let in by a claim code, shows up bound, and goes online before one\'s eyes', async () => {
    const { page, problems } = await openRoom(browser, '/claims')
    await page.getByRole('button', { name: 'Create codes' }).click()
    await pick(page, 'For the organisation', 'MyBeacon Demo')
    await dialog(page).getByRole('button', { name: 'Create', exact: true }).click()
    const code = String(await page.locator('[data-testid=secret] pre').textContent()).trim()
    await page.locator('[data-testid=secret]').getByRole('button', { name: 'Done' }).click()

    const mac = newMAC()
    const enrolled = await knock<Enrolled>('enrol', { mac, claim_code: code, version: '2.5.1', modules: ['ble'] })
    expect(enrolled.bound).toBe(true)
    await page.goto(`${server}/devices?query=${encodeURIComponent(mac)}`)
    const row = rowOf(page, enrolled.device_id)
    await row.waitFor()
    expect(await row.textContent()).toContain(`Receiver #${enrolled.number}`)
    expect(await row.textContent()).toContain('MyBeacon Demo')
    expect(await row.locator('[data-status]').getAttribute('data-status')).toBe('never')
    expect(await row.textContent()).not.toContain(mac)
    await row.getByRole('button', { name: /Show the MAC/ }).click()
    expect(await row.textContent()).toContain(mac)

    await hear(enrolled.token!)
    await expect.poll(() => row.locator('[data-status]').getAttribute('data-status'), { timeout: 30_000 }).toBe('online')
    await expect(knock('enrol', { mac: newMAC(), claim_code: code })).rejects.toThrow(/answers 4/)
    expect(problems).toEqual([])
  })

  it('that enrols by its key is unbound until somebody binds it', async () => {
    const mac = newMAC()
    const enrolled = await knock<Enrolled>('enrol', { mac, public_key: randomBytes(32).toString('base64'), version: '2.5.1', modules: ['ble'] })
    expect([enrolled.bound, enrolled.token]).toEqual([false, undefined])
    const { page, problems } = await openRoom(browser, `/devices?bound=no&mac=${encodeURIComponent(mac)}`)
    await rowOf(page, enrolled.device_id).getByText('Unbound').waitFor()
    await rowOf(page, enrolled.device_id).press('Enter')
    await page.waitForURL(new RegExp(enrolled.device_id))
    await page.getByRole('button', { name: 'Bind' }).click()
    await pick(page, 'Organisation', 'MyBeacon Demo')
    await dialog(page).getByRole('button', { name: 'Bind' }).click()
    await page.getByText(/^since /).waitFor()
    expect(await page.locator('.fact-list').textContent()).toContain('MyBeacon Demo')
    expect(problems).toEqual([])
  })
})

describe('many devices', () => {
  it('are changed as far as they can be, and say why not where they cannot', async () => {
    const { page, problems } = await openRoom(browser, '/devices')
    const { request } = page.context()
    const { items } = await ask<{ items: Found[] }>(request, 'GET', '/admin/devices?limit=200')
    // A receiver of the demo's plan hangs there; a new one hangs nowhere.
    const placed = items.find(({ organisation, location_id: at }) => organisation === 'MyBeacon Demo' && at !== '')!
    const organisation = (await ask<{ items: { id: string }[] }>(request, 'GET', '/admin/organisations?query=MyBeacon%20Demo')).items[0]!.id
    const free = await ask<Found>(request, 'POST', '/admin/devices', { mac: newMAC(), name: placed.name, organisation_id: organisation })

    await page.goto(`${server}/devices?query=${encodeURIComponent(placed.name)}`)
    await rowOf(page, free.id).getByRole('checkbox').click()
    await rowOf(page, placed.id).focus()
    await page.keyboard.press(' ')
    await page.getByText('2 selected').waitFor()
    await page.getByRole('toolbar').getByRole('button', { name: 'Unbind' }).click()
    await dialog(page).getByRole('button', { name: 'Unbind' }).click()

    await rowOf(page, placed.id).getByRole('alert').waitFor()
    await page.getByText('1 selected').waitFor()
    expect(await rowOf(page, free.id).getByRole('alert').count()).toBe(0)
    await rowOf(page, free.id).getByText('Unbound').waitFor()
    expect(await rowOf(page, placed.id).textContent()).toContain('MyBeacon Demo')
    expect(problems).toEqual([])
  })
})

describe('the list', () => {
  it('keeps its filters in the address, and says what to do when nothing matches', async () => {
    const { page, problems } = await openRoom(browser, '/devices')
    await page.getByRole('searchbox').first().fill('no such device anywhere')
    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor()
    expect(new URL(page.url()).searchParams.get('query')).toBe('no such device anywhere')
    await page.reload()
    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor()
    await page.locator('.state-panel').getByRole('button', { name: 'Clear filters' }).click()
    await page.locator('[data-row]').first().waitFor()
    expect(new URL(page.url()).search).toBe('')
    expect(problems).toEqual([])
  })

  it('is walked by keyboard', async () => {
    const { page } = await openRoom(browser, '/devices')
    await page.locator('[data-row]').first().focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.evaluate(() => document.activeElement === document.querySelectorAll('[data-row]')[1])).toBe(true)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/devices\/[0-9a-f-]{36}$/)
  })
})
