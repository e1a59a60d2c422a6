import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

export const server = required('MYBEACON_E2E_URL')
export const admin = { email: required('MYBEACON_ADMIN_EMAIL'), password: required('MYBEACON_ADMIN_PASSWORD') }

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: the browser tests need a running server with the demo`)
  return value.replace(/\/$/, '')
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.MYBEACON_CHROMIUM ?? '/usr/bin/chromium', args: flags })
}

/** A page that keeps account of what goes wrong in it. */
export interface WatchedPage {
  page: Page
  context: BrowserContext
  /** Exceptions and console errors; browsers report violations of the content security policy as such. */
  problems: string[]
}

// Asking who is logged in answers 401 before the login, and so does a wrong
// password: both are wanted, and browsers print every such answer.
const wanted = /status of 401/

const contexts = new Set<BrowserContext>()

/** Closes every page that a test opened, also one that failed half-way. */
export async function closePages(): Promise<void> {
  await Promise.all([...contexts].map((context) => context.close()))
  contexts.clear()
}

export async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 1440, height: 900 }, ...options })
  contexts.add(context)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !wanted.test(message.text())) problems.push(message.text())
  })
  await page.goto(server)
  return { page, context, problems }
}

export async function fillLogin(page: Page, email: string, password: string): Promise<void> {
  await page.fill('input[name=email]', email)
  await page.fill('input[name=password]', password)
  await page.keyboard.press('Enter')
}

/** Opens a page of the console with the session that the tests share. */
export async function openRoom(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const watched = await open(browser, { ...options, storageState: await session(browser) })
  await watched.page.goto(server + path)
  return watched
}

/** Opens the live map of the demo with the session that the tests share. */
export async function openMap(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  // By its address: a super-admin's first page may be the first-run assistant, and the
  // first location one that another test made.
  const watched = await openRoom(browser, `/map/${await demoLocation(browser)}`, options)
  await watched.page.waitForSelector('[data-tag]', { state: 'attached' })
  return watched
}

async function demoLocation(browser: Browser): Promise<string> {
  const context = await browser.newContext({ storageState: await session(browser) })
  try {
    const answer = await context.request.get(`${server}/api/v1/client/locations?name=${encodeURIComponent('Demo office')}`)
    const { items } = await answer.json() as { items: { id: string }[] }
    if (!items[0]) throw new Error('there is no demo: start the server with it')
    return items[0].id
  } finally {
    await context.close()
  }
}

// The server limits logins per account, so the tests share one. It is made
// without the form, whose own tests are those of the login.
let cookie: Promise<Awaited<ReturnType<BrowserContext['storageState']>>> | undefined

function session(browser: Browser) {
  cookie ??= (async () => {
    const context = await browser.newContext()
    contexts.add(context)
    const answer = await context.request.post(`${server}/api/v1/auth/login`, { data: admin })
    if (!answer.ok()) throw new Error(`the login answers ${answer.status()}: ${await answer.text()}`)
    const { cookies } = await context.storageState()
    return { cookies, origins: [] }
  })()
  return cookie
}

/** Where each tag's fix lies, metres, by tag. */
export function fixes(page: Page): Promise<Record<string, string>> {
  return page.$$eval('[data-tag]', (tags) =>
    Object.fromEntries(tags.map((tag) => [(tag as HTMLElement).dataset.tag, `${(tag as HTMLElement).dataset.xM} ${(tag as HTMLElement).dataset.yM}`])),
  )
}
