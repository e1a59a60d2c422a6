import { randomBytes } from 'node:crypto'
import type { APIRequestContext, Browser } from 'playwright-core'
import { closePages, openRoom, server } from './browser'

/** Asks the server as the page's person, and fails with its words when it refuses. */
export async function ask<T>(request: APIRequestContext, method: 'GET' | 'POST' | 'PATCH', path: string, data?: object): Promise<T> {
  const answer = await request.fetch(`${server}/api/v1${path}`, { method, ...(data ? { data } : {}) })
  if (!answer.ok()) throw new Error(`${method} ${path} answers ${answer.status()}: ${await answer.text()}`)
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** The tests read English; the account's language, whatever it is, wins over the browser's. */
export async function speakEnglish(browser: Browser): Promise<void> {
  const { context } = await openRoom(browser, '/jobs')
  await ask(context.request, 'PATCH', '/auth/me', { language: 'en' })
  await closePages()
}

/** A MAC that no test had before: a server's devices outlive the tests. */
export function newMAC(): string {
  return ['02', ...randomBytes(5).toString('hex').match(/../g)!].join(':')
}
