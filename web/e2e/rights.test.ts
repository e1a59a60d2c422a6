import type { APIRequestContext, Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closePages, launch, openRoom, server } from './browser'
import { adminApi, customer, freshEmail, logIn, menuOf, openAs, password, sent, takeInvitation } from './people'

let browser: Browser
let api: APIRequestContext
beforeAll(async () => {
  browser = await launch()
  api = await adminApi()
})
afterEach(closePages)
afterAll(async () => {
  await api.dispose()
  await browser.close()
})

/** Somebody of the owner's organisation with a password. */
async function colleague(owner: APIRequestContext, role: string, more: object = {}): Promise<{ id: string; email: string }> {
  const email = freshEmail(role)
  const { id } = await sent<{ id: string }>(owner.post('/api/v1/client/users', { data: { email, role, ...more } }))
  await takeInvitation(api, email)
  return { id, email }
}

const forAll = ['/map', '/history', '/analytics', '/alerts', '/ble/tags', '/plans', '/devices', '/rights']

describe('the menu of', () => {
  let owner: APIRequestContext
  let ownerEmail: string
  beforeAll(async () => {
    ownerEmail = (await customer(api)).owner
    owner = await logIn(ownerEmail, password)
  })
  afterAll(() => owner.dispose())

  it.each([
    ['owner', ['/people', '/audit'], []],
    ['admin', ['/audit'], ['/people']],
    ['manager', [], ['/people', '/audit']],
    ['operator', [], ['/people', '/audit', '/people/keys']],
    ['viewer', [], ['/people', '/audit', '/people/organisation']],
  ])('%s has what the role may, and refuses the rest', async (role, more, refused) => {
    const email = role === 'owner' ? ownerEmail : (await colleague(owner, role)).email
    const { page, problems } = await openAs(browser, email)
    expect((await menuOf(page)).sort()).toEqual([...forAll, ...more].sort())
    for (const path of refused) {
      await page.goto(server + path)
      await page.getByText('Your role may not open this page').waitFor()
    }
    for (const path of ['/organisations', '/jobs', '/setup']) {
      await page.goto(server + path)
      await page.getByText('There is no such page').waitFor()
    }
    expect(problems).toEqual([])
  })

  it('marks the own column in the table of rights', async () => {
    const { page } = await openAs(browser, (await colleague(owner, 'manager')).email)
    await page.goto(`${server}/rights`)
    expect(await page.locator('thead .is-own').textContent()).toContain('Manager')
    const own = page.locator('tbody .is-own .sr-only')
    expect(await own.allTextContents()).toEqual(['Yes', 'Yes', 'No', 'No', 'No', 'No', 'No', 'No'])
  })

  it('keeps the last owner, and says why', async () => {
    const { page } = await openAs(browser, ownerEmail)
    await page.goto(`${server}/people?query=${encodeURIComponent(ownerEmail)}`)
    await page.getByRole('button', { name: /^Actions for/ }).click()
    await page.getByText('Block', { exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await page.getByRole('dialog').getByRole('alert').getByText(/owner/i).waitFor()
  })

  it('invites with a role and shows who has not come yet', async () => {
    const email = freshEmail('fresh')
    const { page, problems } = await openAs(browser, ownerEmail)
    await page.goto(`${server}/people`)
    await page.getByRole('button', { name: 'Invite somebody' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('input[name=email]').fill(email)
    await dialog.getByRole('button', { name: 'Send the invitation' }).click()
    await page.getByRole('row', { name: new RegExp(email) }).getByText('Invited').waitFor()
    expect(problems).toEqual([])
  })

  it('makes an API key that works and is shown once', async () => {
    const { page } = await openAs(browser, ownerEmail)
    await page.goto(`${server}/people/keys`)
    await page.getByRole('button', { name: 'Create a key' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('input[name=key-name]').fill('Reports')
    await dialog.getByRole('button', { name: 'Create a key' }).click()
    const key = String(await page.getByTestId('secret').locator('pre').textContent())
    expect(key).toMatch(/^mbk_/)
    const answer = await fetch(`${server}/api/v1/client/locations`, { headers: { Authorization: `Bearer ${key}` } })
    expect(answer.status).toBe(200)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('Reports').waitFor()
    expect(await page.content()).not.toContain(key)
  })
})

describe('a super-admin', () => {
  it('changes what is inside an organisation only while acting, under a banner', async () => {
    const { name } = await customer(api)
    const { page, problems } = await openRoom(browser, '/people')
    await page.getByText('Switch into an organisation first', { exact: false }).waitFor()
    await page.getByRole('button', { name: 'Switch into an organisation' }).click()
    await page.getByRole('searchbox').fill(name)
    await page.locator('.switcher .v-list-item', { hasText: name }).click()
    await page.getByRole('button', { name: 'Switch', exact: true }).click()
    await page.getByText('Please fill this in').waitFor()
    await page.fill('input[name=reason]', 'ticket 4711')
    await page.keyboard.press('Enter')
    await page.getByTestId('acting').getByText('ticket 4711', { exact: false }).waitFor()
    await page.getByRole('heading', { name: 'People' }).waitFor()
    await page.getByTestId('acting').getByRole('button', { name: 'End' }).click()
    await page.getByTestId('acting').waitFor({ state: 'detached' })
    expect(problems).toEqual([])
  })

  it('finds everything from the keyboard', async () => {
    const { name } = await customer(api)
    const { page, problems } = await openRoom(browser, '/organisations')
    await page.getByRole('heading', { name: 'Organisations' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search everywhere' }).fill(name)
    await page.getByRole('option', { name: new RegExp(name.replace(/[.+]/g, '\\$&')) }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    expect(problems).toEqual([])
  })
})

describe('rights that are taken while the live map is open', () => {
  it('end it within seconds', async () => {
    const acting = await adminApi()
    const { items } = await sent<{ items: { id: string; organisation_id: string }[] }>(acting.get('/api/v1/client/locations?limit=1'))
    const place = items[0]
    if (!place) throw new Error('the demo has no location')
    await sent(acting.put('/api/v1/auth/acting', { data: { organisation_id: place.organisation_id, reason: 'browser test' } }))
    const viewer = await colleague(acting, 'viewer', { locations: [{ id: place.id, write: false }] })
    const { page } = await openAs(browser, viewer.email)
    await page.waitForSelector('[data-tag]', { state: 'attached' })

    const started = Date.now()
    await sent(acting.patch(`/api/v1/client/users/${viewer.id}`, { data: { locations: [] } }))
    await expect.poll(() => page.locator('[data-testid=connection]').getAttribute('data-state').catch(() => null), { timeout: 10_000 }).not.toBe('online')
    expect(Date.now() - started).toBeLessThan(7000)

    await sent(acting.patch(`/api/v1/client/users/${viewer.id}`, { data: { disabled: true } }))
    await page.reload()
    await page.waitForURL(/\/login/)
    await acting.dispose()
  })
})
