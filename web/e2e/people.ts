import { createHmac } from 'node:crypto'
import { type APIRequestContext, type Browser, type Page, request } from 'playwright-core'
import { admin, fillLogin, open, server, type WatchedPage } from './browser'

/** Long and unlike the e-mails, as the server wants it. */
export const password = 'quiet-harbour-27-lanterns'

let serial = Date.now()

/** An address nobody else in this run has. */
export function freshEmail(name: string): string {
  return `${name}-${(serial++).toString(36)}@example.com`
}

/** The server's API with a session of its own. */
export async function logIn(email: string, secret: string): Promise<APIRequestContext> {
  const api = await request.newContext({ baseURL: server })
  await sent(api.post('/api/v1/auth/login', { data: { email, password: secret } }))
  return api
}

export const adminApi = () => logIn(admin.email, admin.password)

/** The body of a good answer; anything else fails the test with the server's words. */
export async function sent<T = Record<string, never>>(answer: ReturnType<APIRequestContext['get']>): Promise<T> {
  const got = await answer
  const text = await got.text()
  if (!got.ok()) throw new Error(`${got.url()} answers ${got.status()}: ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as T
}

interface Mail { id: string; to: string; created_at: string }

const linkForm = /\/(?:confirm|password|invitation)#[\w-]+/

/** The link of the newest mail to an address: its path with the fragment. */
export async function linkTo(api: APIRequestContext, address: string, kind: string): Promise<string> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const { items } = await sent<{ items: Mail[] }>(api.get('/api/v1/admin/mails?limit=50'))
    for (const { id } of items.filter(({ to }) => to === address)) {
      const { text } = await sent<{ text: string }>(api.get(`/api/v1/admin/mails/${id}`))
      const link = linkForm.exec(text)?.[0]
      if (link?.startsWith(`/${kind}#`)) return link
    }
    // Mails are put into the outbox by a job of the server.
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`no mail with a /${kind}# link to ${address}`)
}

/** The six digits an authenticator app would show now, or some steps of 30 s later. */
export function totp(secret: string, stepsLater = 0): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + stepsLater))
  const digest = createHmac('sha1', base32(secret)).update(counter).digest()
  const at = (digest.at(-1) ?? 0) & 15
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

function base32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text.replace(/[\s=]/g, '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

export interface Organisation { id: string; name: string }

/** A new customer with an owner who has a password already. */
export async function customer(api: APIRequestContext, products = ['ble']): Promise<Organisation & { owner: string }> {
  const owner = freshEmail('owner')
  const made = await sent<Organisation>(api.post('/api/v1/admin/organisations', { data: { name: `Customer ${owner}`, email: owner, products, password: 'link', language: 'en' } }))
  await takeInvitation(api, owner)
  return { ...made, owner }
}

/** Sets the password of somebody who was invited. */
export async function takeInvitation(api: APIRequestContext, email: string): Promise<void> {
  const link = await linkTo(api, email, 'invitation')
  const token = link.slice(link.indexOf('#') + 1)
  const stranger = await request.newContext({ baseURL: server })
  await sent(stranger.post('/api/v1/auth/password', { data: { token, password, name: 'Test Person' } }))
  await stranger.dispose()
}

/** A page of somebody who logs in through the form. */
export async function openAs(browser: Browser, email: string, secret = password): Promise<WatchedPage> {
  const watched = await open(browser)
  await fillLogin(watched.page, email, secret)
  await watched.page.waitForSelector('.nav-menu')
  return watched
}

/** Where the entries of the navigation lead. */
export function menuOf(page: Page): Promise<string[]> {
  return page.$$eval('[data-nav]', (entries) => entries.map((entry) => (entry as HTMLElement).dataset.nav ?? ''))
}
