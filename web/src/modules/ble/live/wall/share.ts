import { type Api, createApi } from '@/api/client'
import type { components } from '@/api/schema'

export type Opened = components['schemas']['ShareOutputBody']

/** What became of a link. */
export type Opening =
  | { kind: 'open'; share: Opened }
  | { kind: 'expired' | 'revoked' | 'unknown' | 'limited' | 'away' }

const key = 'mybeacon.share'

/**
 * Opens a link. A tab that is loaded anew goes on with the session it has, so that
 * one look is one entry in the log; `fresh` is for a session that has ended.
 */
export async function openShare(token: string, fresh: boolean): Promise<Opening> {
  const kept = fresh ? undefined : remembered(token)
  if (kept) return { kind: 'open', share: kept }
  const api = createApi({ fetch: (request) => fetch(new Request(request, { credentials: 'omit' })), onUnauthorised: () => undefined })
  try {
    const { data, error, response } = await api.POST('/api/v1/auth/share', { body: { token } })
    if (!data) return { kind: refusal(response.status, error?.errors?.[0]?.value) }
    remember(token, data)
    return { kind: 'open', share: data }
  } catch {
    return { kind: 'away' }
  }
}

function refusal(status: number, why: unknown): 'expired' | 'revoked' | 'unknown' | 'limited' | 'away' {
  if (status === 403) return why === 'revoked' ? 'revoked' : 'expired'
  if (status === 429) return 'limited'
  return status === 404 || status === 400 ? 'unknown' : 'away'
}

/** The client of who came by a link: the person's own cookie stays out of it. */
export function guestApi(session: string, onUnauthorised: () => void): Api {
  return createApi({
    fetch: (request) => {
      const own = new Request(request, { credentials: 'omit' })
      own.headers.set('Authorization', `Bearer ${session}`)
      return fetch(own)
    },
    onUnauthorised,
  })
}

function remember(token: string, share: Opened): void {
  try {
    sessionStorage.setItem(key, JSON.stringify({ token, share }))
  } catch {
    // Without storage each load of the page is a session of its own.
  }
}

function remembered(token: string): Opened | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as { token: string; share: Opened } | null
    return kept?.token === token && Date.parse(kept.share.expires_at) > Date.now() ? kept.share : undefined
  } catch {
    return undefined
  }
}
