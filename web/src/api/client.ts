import createClient, { type Client } from 'openapi-fetch'
import { inject, type InjectionKey } from 'vue'
import { ApiError, errorFrom } from './errors'
import type { paths } from './schema'

export type Api = Client<paths>

export const apiKey: InjectionKey<Api> = Symbol('api')

export interface ApiOptions {
  fetch?: typeof fetch
  /** Called when a request other than the login itself is answered by 401. */
  onUnauthorised: () => void
  /** Called for every request: did the server itself answer? */
  onReach?: (answered: boolean) => void
}

// Their 401 is about what was typed, not about the session.
const publicPaths = /^\/api\/v1\/auth\/(login|logout|me|register|confirm|links|password.*|totp.*)$/

/** The one door to the server. The session is a cookie that scripts cannot read. */
export function createApi(options: ApiOptions): Api {
  const send = options.fetch ?? ((request: Request) => fetch(request))
  const api = createClient<paths>({ baseUrl: window.location.origin, fetch: send, credentials: 'same-origin' })
  api.use({
    onResponse({ request, response }) {
      options.onReach?.(![502, 503, 504].includes(response.status))
      const isLogin = publicPaths.test(new URL(request.url).pathname)
      if (response.status === 401 && !isLogin) options.onUnauthorised()
    },
    onError() {
      options.onReach?.(false)
    },
  })
  return api
}

/** The application's client; only inside setup functions and Pinia stores. */
export function useApi(): Api {
  const api = inject(apiKey)
  if (!api) throw new Error('BUG: no API client was provided')
  return api
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** Gives the body of a good answer, throws an ApiError for everything else. */
export async function bodyOf<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch (cause) {
    throw new ApiError('away', cause instanceof Error ? cause.message : String(cause))
  }
  if (!answer.response.ok) throw errorFrom(answer.response, answer.error)
  return answer.data as T
}

// Two thousand objects are far beyond one site's; the bound keeps a broken
// cursor from asking for ever.
const maxPages = 10

/** Reads a list to its end by its cursor. */
export async function allPages<T>(page: (cursor?: string) => Promise<{ items: T[]; next: string }>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  for (let read = 0; read < maxPages; read++) {
    const answer = await page(cursor)
    items.push(...answer.items)
    cursor = answer.next || undefined
    if (!cursor) break
  }
  return items
}
