import { decodeMessage, type LiveMessage } from './messages'

/** How the tab proves who it is: by its cookie, or by a session that it holds itself. */
export interface LiveAccess {
  /** Of a link to a live map; sent with every request instead of the cookie. */
  bearer?: string
  fetch?: typeof fetch
}

export type PollAnswer = LiveMessage[] | 'unauthorised' | 'denied' | 'away'

const headersOf = ({ bearer }: LiveAccess): HeadersInit => (bearer ? { Authorization: `Bearer ${bearer}` } : {})

const send = (access: LiveAccess, path: string, init: RequestInit = {}) =>
  // An answer that does not come must not hold up the next question for ever.
  (access.fetch ?? fetch)(path, { ...init, headers: headersOf(access), credentials: access.bearer ? 'omit' : 'same-origin', signal: AbortSignal.timeout(10_000) })

/** The live socket's address next to the page's own. */
export function liveUrl(page: Pick<Location, 'protocol' | 'host'>): string {
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/api/v1/live`
}

/**
 * Where to open the socket. Without a cookie a ticket proves who opens it, as a socket
 * takes no headers; without a ticket the server will say why.
 */
export async function socketUrl(access: LiveAccess): Promise<string> {
  const url = liveUrl(window.location)
  if (!access.bearer) return url
  try {
    const answer = await send(access, '/api/v1/live/ticket', { method: 'POST' })
    if (!answer.ok) return url
    const { ticket } = (await answer.json()) as { ticket: string }
    return `${url}?ticket=${encodeURIComponent(ticket)}`
  } catch {
    return url
  }
}

/** What a socket would have told by now. */
export async function poll(access: LiveAccess, location: string, since?: { epoch: string; seq: number }): Promise<PollAnswer> {
  const query = new URLSearchParams({ location })
  if (since) query.set('since', `${since.epoch}.${since.seq}`)
  try {
    const answer = await send(access, `/api/v1/live/snapshot?${query}`)
    if (answer.status === 401) return 'unauthorised'
    if (answer.status === 403 || answer.status === 404) return 'denied'
    if (!answer.ok) return 'away'
    const { messages } = (await answer.json()) as { messages: unknown[] }
    return messages.map((message) => decodeMessage(JSON.stringify(message))).filter((message) => message !== undefined)
  } catch {
    return 'away'
  }
}
