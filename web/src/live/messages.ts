/** A tag as last reported. Times are UTC milliseconds, lengths plan metres. */
export interface LiveTag {
  readonly id: string
  readonly name: string
  /** "person", "asset" or "vehicle"; others are shown like an asset. */
  readonly type: string
  readonly plan: string
  readonly x: number
  readonly y: number
  /** Radius that holds the tag with 68 %. */
  readonly accuracyM: number
  /** Zone id; empty outside zones. */
  readonly zone: string
  readonly rssiDbm: number
  /** The receiver that heard it loudest; empty when unknown. */
  readonly receiver: string
  readonly at: number
  /** "absent": every receiver that could hear it listened in vain; "gone": no longer of this location. */
  readonly state: 'present' | 'absent' | 'gone'
}

export interface LiveZone {
  readonly id: string
  readonly name: string
  readonly plan: string
  readonly occupancy: number
  /** Deleted: to be dropped. */
  readonly gone: boolean
}

export interface LiveMessage {
  readonly type: 'snapshot' | 'delta' | 'gap'
  readonly epoch: string
  readonly seq: number
  /** The server's clock when it sent this, or NaN when it did not say. */
  readonly at: number
  readonly tags: LiveTag[]
  readonly zones: LiveZone[]
}

type Json = Record<string, unknown>

/**
 * Reads one text message of the live socket. Gives undefined for anything that
 * is not a known message; entries without id or with coordinates that are no
 * numbers are left out, the rest of their message still counts.
 */
export function decodeMessage(text: string): LiveMessage | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(raw)) return undefined
  const { type } = raw
  if (type !== 'snapshot' && type !== 'delta' && type !== 'gap') return undefined
  return {
    type,
    epoch: String(raw.epoch ?? ''),
    seq: number(raw.seq, 0),
    at: time(raw.at),
    tags: list(raw.tags, tagOf),
    zones: list(raw.zones, zoneOf),
  }
}

function tagOf(raw: Json): LiveTag | undefined {
  const id = text(raw.id)
  const x = number(raw.x_m)
  const y = number(raw.y_m)
  if (id === '' || !Number.isFinite(x) || !Number.isFinite(y)) return undefined
  return {
    id,
    name: text(raw.name),
    type: text(raw.tag_type),
    plan: text(raw.plan),
    x,
    y,
    accuracyM: Math.max(0, number(raw.accuracy_m, 0)),
    zone: text(raw.zone),
    rssiDbm: number(raw.rssi_dbm),
    receiver: text(raw.receiver),
    at: time(raw.at),
    state: raw.state === 'absent' || raw.state === 'gone' ? raw.state : 'present',
  }
}

function zoneOf(raw: Json): LiveZone | undefined {
  const id = text(raw.id)
  if (id === '') return undefined
  return { id, name: text(raw.name), plan: text(raw.plan), occupancy: Math.max(0, number(raw.occupancy, 0)), gone: raw.state === 'gone' }
}

function list<T>(raw: unknown, read: (entry: Json) => T | undefined): T[] {
  if (!Array.isArray(raw)) return []
  return raw.flatMap((entry) => {
    const value = isObject(entry) ? read(entry) : undefined
    return value === undefined ? [] : [value]
  })
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown, otherwise = Number.NaN): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise
}

/** Times come as RFC 3339 text or as milliseconds. */
function time(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : number(value)
}
