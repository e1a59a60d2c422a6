import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { admin, closePages, launch, openRoom, server } from './browser'
import { ask, newMAC, speakEnglish } from './rooms'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
  await speakEnglish(browser)
})
afterEach(closePages)
afterAll(() => browser.close())

interface Entry { id: string; user: string; action: string; object: { kind: string; id: string; name: string } }
interface List { items: Entry[] }

describe('the audit log', () => {
  it('shows what was done, and exports just the lines that the filters leave', async () => {
    const { page, problems } = await openRoom(browser, '/audit')
    const { request } = page.context()
    const organisation = (await ask<{ items: { id: string }[] }>(request, 'GET', '/admin/organisations?query=MyBeacon%20Demo')).items[0]!.id
    const mac = newMAC()
    const made = await ask<{ number: number }>(request, 'POST', '/admin/devices', { mac, name: '=1+1', organisation_id: organisation })

    await page.goto(`${server}/audit?action=create&query=${encodeURIComponent(mac)}`)
    await page.locator('[data-row]').first().waitFor()
    expect(await page.locator('[data-row]').count()).toBe(1)
    const line = String(await page.locator('[data-row]').first().textContent())
    expect(line).toContain(`Receiver #${made.number}`)
    expect(line).toContain(admin.email)
    expect(line).toContain('Creation')

    await page.getByRole('button', { name: 'Export' }).click()
    const coming = page.waitForEvent('download')
    await page.locator('[data-export=csv]').click()
    const csv = (await readFile(await (await coming).path(), 'utf8')).trim().split('\r\n')
    expect(csv[0]!.replace('\uFEFF', '')).toBe('at,user,action,object,details,ip')
    expect(csv.length).toBe(2)
    expect(csv[1]).toContain(admin.email)
    expect(csv[1]).toContain(`Receiver #${made.number}`)

    await expect.poll(async () => (await ask<List>(request, 'GET', '/admin/audit?action=export&limit=1')).items[0]?.object.kind).toBe('log')
    expect(problems).toEqual([])
  })

  it('keeps its filters in the address and takes a person by a press', async () => {
    const { page } = await openRoom(browser, '/audit')
    await page.locator('[data-row]').getByRole('button', { name: admin.email }).first().click()
    await page.waitForURL(/user=/)
    await page.reload()
    await page.locator('[data-row]').first().waitFor()
    expect(await page.locator('.filter-chip').textContent()).toContain(admin.email)
  })

  it('is verified by the server', async () => {
    const { page } = await openRoom(browser, '/audit/system')
    await page.getByRole('button', { name: 'Verify' }).click()
    expect(await page.locator('[data-testid=verification]').textContent()).toMatch(/All is as it was written: [\d,]+ entries in \d+ chains?\./)
  })
})

describe('page views', () => {
  const views = async (page: Page, path: string) =>
    (await ask<List>(page.context().request, 'GET', '/admin/audit?action=view&limit=200')).items.filter(({ object }) => object.kind === 'page' && object.id === path).length

  it('reach the log when the tab closes at once', async () => {
    const watcher = await openRoom(browser, '/jobs')
    const { page } = await openRoom(browser, '/outbox')
    // Let what was opened until here arrive, so that only the last page is on its way.
    await expect.poll(() => views(watcher.page, '/outbox'), { timeout: 20_000 }).toBeGreaterThan(0)
    const before = await views(watcher.page, '/claims')
    await page.getByRole('link', { name: 'Claim codes' }).click()
    await page.waitForURL(/\/claims$/)
    await page.close({ runBeforeUnload: true })
    await expect.poll(() => views(watcher.page, '/claims'), { timeout: 20_000 }).toBe(before + 1)
  })

  it('wait for a server that is away, and are told once', async () => {
    const { page } = await openRoom(browser, '/outbox')
    await expect.poll(() => views(page, '/outbox'), { timeout: 20_000 }).toBeGreaterThan(0)
    const before = await views(page, '/audit/system')
    await page.route('**/audit/pages', (route) => route.abort())
    await page.getByRole('link', { name: 'System log' }).click()
    await page.waitForURL(/\/audit\/system$/)
    await page.waitForEvent('requestfailed')
    await page.unroute('**/audit/pages')
    await expect.poll(() => views(page, '/audit/system'), { timeout: 30_000 }).toBe(before + 1)
  })
})
