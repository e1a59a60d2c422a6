/** Why a request failed, as far as the console acts differently on it. */
export type Failure = 'unauthorised' | 'forbidden' | 'missing' | 'invalid' | 'conflict' | 'stale' | 'limited' | 'away' | 'failed'

/** A request that did not succeed. `away` means that no answer came at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    readonly failure: Failure,
    message: string,
    /** Seconds after which the server asks to try again, when it said so. */
    readonly retryAfter?: number,
    /** What is wrong with single inputs, by the input's name. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Names the request in the server's log. */
    readonly requestId = '',
  ) {
    super(message)
  }
}

const byStatus: Record<number, Failure> = {
  400: 'invalid',
  401: 'unauthorised',
  403: 'forbidden',
  404: 'missing',
  409: 'conflict',
  412: 'stale',
  422: 'invalid',
  429: 'limited',
  // A proxy in front answers these while the server itself is gone.
  502: 'away',
  503: 'away',
  504: 'away',
}

/** Turns an answer with its RFC 9457 problem into an error. */
export function errorFrom(response: Response, problem: unknown): ApiError {
  const failure = byStatus[response.status] ?? 'failed'
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  const { errors, request_id: id } = (typeof problem === 'object' && problem !== null ? problem : {}) as { errors?: unknown; request_id?: unknown }
  return new ApiError(
    failure, detailOf(problem) ?? `HTTP ${response.status}`, Number.isFinite(seconds) ? seconds : undefined,
    fieldsOf(errors), typeof id === 'string' ? id : '',
  )
}

/** The first complaint about each input; `body.` before a name says nothing to people. */
function fieldsOf(errors: unknown): Record<string, string> {
  const fields: Record<string, string> = {}
  if (!Array.isArray(errors)) return fields
  for (const { location, message } of errors as { location?: unknown; message?: unknown }[]) {
    if (typeof location !== 'string' || typeof message !== 'string') continue
    fields[location.replace(/^(body|query|path)\.(?=.)/, '')] ??= message
  }
  return fields
}

function detailOf(problem: unknown): string | undefined {
  if (typeof problem !== 'object' || problem === null) return undefined
  const { detail, title } = problem as { detail?: unknown; title?: unknown }
  if (typeof detail === 'string' && detail !== '') return detail
  return typeof title === 'string' ? title : undefined
}

/** The kind of any thrown value; what is not an ApiError counts as `failed`. */
export function failureOf(error: unknown): Failure {
  return error instanceof ApiError ? error.failure : 'failed'
}
