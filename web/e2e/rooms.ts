import { randomBytes } from 'node:crypto'
import type { APIRequestContext, Browser, BrowserContextOptions } from 'playwright-core'
import { openMap, server, type WatchedPage } from './browser'

/** Opens a room of the console with the session that the tests share. */
export async function openRoom(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const watched = await openMap(browser, options)
  await watched.page.goto(server + path)
  await watched.page.waitForSelector('h1')
  return watched
}

/** Asks the server as the page's person, and fails with its words when it refuses. */
export async function ask<T>(request: APIRequestContext, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, data?: object): Promise<T> {
  const answer = await request.fetch(`${server}/api/v1${path}`, { method, ...(data ? { data } : {}) })
  if (!answer.ok()) throw new Error(`${method} ${path} answers ${answer.status()}: ${await answer.text()}`)
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** A MAC that no test had before: a server's devices outlive the tests. */
export function newMAC(): string {
  return ['02', ...randomBytes(5).toString('hex').match(/../g)!].join(':')
}
