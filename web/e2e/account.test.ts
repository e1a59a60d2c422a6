import type { APIRequestContext, Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closePages, fillLogin, launch, open, openRoom, server } from './browser'
import { adminApi, customer, freshEmail, linkTo, openAs, password, sent, totp } from './people'

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

describe('registration', () => {
  it('by oneself leads over mail and waiting room to the first product', async () => {
    const email = freshEmail('self')
    const { page, problems } = await open(browser)
    await page.getByRole('link', { name: 'Register an organisation' }).click()
    await page.getByRole('button', { name: 'Next' }).waitFor() // the login has such inputs too
    await page.fill('input[name=email]', email)
    await page.fill('input[name=password]', password)
    await page.getByRole('button', { name: 'Next' }).click()
    await page.fill('input[name=organisation]', `Self ${email}`)
    await page.fill('input[name=phone]', '+44 20 7946 0000')
    await page.getByRole('button', { name: 'Register' }).click()
    await page.getByText(`We have sent a letter to ${email}`).waitFor()

    await page.goto(server + (await linkTo(api, email, 'confirm')))
    // Whoever registered with somebody else's address does not get it by the owner's click.
    await page.fill('input[name=password]', `${password}-not`)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('This is not the password of the registration').waitFor()
    await page.fill('input[name=password]', password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.waitForURL(/\/waiting$/)

    const { items } = await sent<{ items: { id: string }[] }>(api.get(`/api/v1/admin/organisations?query=${encodeURIComponent(email)}`))
    await sent(api.patch(`/api/v1/admin/organisations/${items[0]?.id}`, { data: { products: ['ble'] } }))
    await page.waitForURL(/\/map/, { timeout: 30_000 })
    await page.getByText('There is no site yet').waitFor()
    expect(problems.filter((problem) => !/status of 400/.test(problem))).toEqual([])
  })

  it('by the super-admin leads over a letter to the first product', async () => {
    const email = freshEmail('invited')
    const admins = await openRoom(browser, '/organisations')
    await admins.page.getByRole('button', { name: 'New organisation' }).click()
    const form = admins.page.getByRole('dialog')
    await form.locator('input[name=organisation]').fill(`By admin ${email}`)
    await form.locator('input[name=email]').fill(email)
    await form.getByLabel('BLE tracking').check()
    await form.getByRole('button', { name: 'Create' }).click()
    await admins.page.waitForURL(/\/organisations\/[\w-]+$/)

    const { page, problems } = await open(browser)
    await page.goto(server + (await linkTo(api, email, 'invitation')))
    await page.fill('input[name=name]', 'Olga')
    await page.fill('input[name=password]', password)
    await page.getByRole('button', { name: 'Join' }).click()
    await page.waitForURL(/\/map/)
    expect([...problems, ...admins.problems]).toEqual([])
  })

  it('says what is wrong beside the inputs, and stays', async () => {
    const { page } = await open(browser)
    await page.goto(`${server}/register`)
    await page.fill('input[name=email]', 'nobody')
    await page.fill('input[name=password]', 'short')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('This is not an e-mail address').waitFor()
    await page.getByText('At least 10 characters', { exact: true }).waitFor()
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).name)).toBe('email')
  })
})

describe('a link of a mail', () => {
  it('says when it is of no use, and never what was wrong with it', async () => {
    const { page, problems } = await open(browser)
    // Few, as the server counts wrong links like wrong passwords.
    for (const path of ['/password#made-up', '/invitation#', `/confirm#${'a'.repeat(43)}`]) {
      await page.goto('about:blank')
      await page.goto(server + path)
      await page.getByText('This link does not work any more').waitFor()
    }
    expect(problems.filter((problem) => !/status of 404/.test(problem))).toEqual([])
  })

  it('resets a forgotten password once, and ends other sessions', async () => {
    const { owner } = await customer(api)
    const other = await openAs(browser, owner)
    const { page } = await open(browser)
    await page.getByRole('link', { name: 'Forgot the password?' }).click()
    await page.getByRole('button', { name: 'Send the link' }).waitFor()
    await page.fill('input[name=email]', owner)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByText('Check your mailbox').waitFor()
    const link = await linkTo(api, owner, 'password')
    await page.goto(server + link)
    await page.fill('input[name=password]', `${password}-new`)
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.waitForURL(/\/map/)
    await other.page.reload()
    await other.page.waitForURL(/\/login/)
    await page.goto('about:blank')
    await page.goto(server + link)
    await page.getByText('This link does not work any more').waitFor()
  })
})

describe('the second factor', () => {
  it('is set up, asked for, and replaced by a recovery code', async () => {
    const { owner } = await customer(api)
    const { page, problems } = await openAs(browser, owner)
    await page.goto(`${server}/profile`)
    await page.getByRole('button', { name: 'Switch on' }).click()
    await page.getByRole('dialog').locator('input[name=password]').fill(password)
    await page.keyboard.press('Enter')
    const secret = String(await page.getByTestId('totp-secret').textContent())
    expect(await page.getByAltText(/QR code/).evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(100)
    await page.fill('input[name=code]', totp(secret))
    await page.getByRole('button', { name: 'Confirm' }).click()
    const codes = String(await page.getByTestId('secret').locator('pre').textContent()).split('\n')
    expect(codes).toHaveLength(10)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByTestId('totp-state').getByText('Switched on').waitFor()

    // No code works twice: the next one is accepted already.
    for (const code of [totp(secret, 1), codes[0] ?? '']) {
      await page.getByRole('button', { name: 'Account' }).click()
      await page.getByText('Log out').click()
      await page.waitForURL(/\/login/)
      await fillLogin(page, owner, password)
      await page.waitForSelector('input[name=code]')
      if (code.length !== 6) await page.getByRole('button', { name: 'Use a recovery code' }).click()
      await page.fill('input[name=code]', code)
      if (code.length !== 6) await page.keyboard.press('Enter')
      await page.waitForSelector('.nav-menu')
    }
    expect(problems).toEqual([])
  })

  it('refuses a wrong code and says so', async () => {
    const { owner } = await customer(api)
    const { page } = await openAs(browser, owner)
    await page.goto(`${server}/profile`)
    await page.getByRole('button', { name: 'Switch on' }).click()
    await page.getByRole('dialog').locator('input[name=password]').fill('not the password')
    await page.keyboard.press('Enter')
    await page.getByText(/is not the password/i).waitFor()
    await page.getByRole('dialog').locator('input[name=password]').fill(password)
    await page.keyboard.press('Enter')
    const secret = String(await page.getByTestId('totp-secret').textContent())
    await page.fill('input[name=code]', totp(secret, 100))
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.locator('.form-dialog .v-input--error').waitFor()
  })
})

describe('sessions', () => {
  it('are listed, and ended from another one', async () => {
    const { owner } = await customer(api)
    const first = await openAs(browser, owner)
    const { page } = await openAs(browser, owner)
    await page.goto(`${server}/profile`)
    await page.locator('[data-session=current]').waitFor()
    expect(await page.locator('[data-session=other]').count()).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'End all others' }).click()
    await expect.poll(() => page.locator('[data-session=other]').count()).toBe(0)
    await first.page.reload()
    await first.page.waitForURL(/\/login/)
  })
})
