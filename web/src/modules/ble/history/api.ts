import { allPages, type Api, bodyOf } from '@/api/client'
import type { components } from '@/api/schema'
import type { Plan } from '@/api/types'
import type { Page } from '@/kit/data/types'
import type { HeatGrid } from '@/map/playback/types'
import type { TrackPage, TrackRequest } from './playback/buffer'

type Schemas = components['schemas']
export type PastEvent = Schemas['Event']

/** Whose past is asked for. Times in milliseconds. */
export interface Past {
  plan: string
  from: number
  to: number
  /** Only these; empty: all. */
  tags: readonly string[]
  type: string
}

export interface TagMeta {
  name: string
  type: string
}

/** A tag that was on the plan in the time asked for. */
export interface SeenTag extends TagMeta {
  id: string
  seconds: number
}

/** A stay of one tag's day. */
export interface DayStay {
  zone: string
  from: number
  to: number
  open: boolean
}

const iso = (at: number) => new Date(at).toISOString()
/** A moment of an answer in milliseconds. */
export const timeOf = (at: string | number) => new Date(at).getTime()

function queryOf({ plan, from, to, tags, type }: Past) {
  return { plan, from: iso(from), to: iso(to), tag: tags.length > 0 ? [...tags] : undefined, type: (type || undefined) as 'person' | undefined }
}

/** A page of fixes; what it tells about tags is put into `known`. */
export async function fetchTracks(api: Api, past: Past, stepMs: number, request: TrackRequest, given: { known: Map<string, TagMeta>; signal: AbortSignal }): Promise<TrackPage> {
  const query = { ...queryOf({ ...past, from: request.from, to: request.to }), step_ms: stepMs || undefined, cursor: request.cursor || undefined }
  const { tags, zones, fixes, next } = await bodyOf(api.GET('/api/v1/client/ble/tracks', { params: { query }, signal: given.signal }))
  for (const { tag, name, type } of tags) given.known.set(tag, { name, type })
  return {
    next,
    columns: {
      tag: (fixes.tag ?? []).map((index) => tags[index]?.tag ?? ''), zone: (fixes.zone ?? []).map((index) => zones[index]?.zone ?? ''),
      at: fixes.at ?? [], x: fixes.x_m, y: fixes.y_m, accuracy: fixes.accuracy_m, validMs: fixes.valid_for_ms,
    },
  }
}

/** Everybody who was on the plan, the longest first. */
export async function fetchSeen(api: Api, past: Omit<Past, 'tags'>): Promise<SeenTag[]> {
  const { items } = await bodyOf(api.GET('/api/v1/client/ble/dwell', { params: { query: { ...queryOf({ ...past, tags: [] }), by: 'tag' } } }))
  return items.map(({ tag, tag_name, type, dwell_s, outside_s }) => ({ id: tag ?? '', name: tag_name ?? '', type: type ?? '', seconds: dwell_s + outside_s }))
}

export function fetchEvents(api: Api, past: Past, kind: '' | 'enter' | 'leave', page: { limit: number; cursor?: string }): Promise<Page<PastEvent>> {
  return bodyOf(api.GET('/api/v1/client/ble/events', { params: { query: { ...queryOf(past), kind: kind || undefined, ...page } } }))
}

/** Where one tag was in a range, place by place, on all plans of the location. */
export async function fetchDay(api: Api, location: string, tag: string, from: number, to: number): Promise<{ stays: DayStay[]; names: Map<string, string> }> {
  const { stays } = await bodyOf(api.GET('/api/v1/client/ble/timeline', { params: { query: { location, tag: [tag], from: iso(from), to: iso(to) } } }))
  return {
    stays: stays.map(({ zone, from: begin, to: end, open }) => ({ zone: zone ?? '', from: timeOf(begin), to: timeOf(end), open })),
    names: new Map(stays.flatMap(({ zone, zone_name }) => (zone ? [[zone, zone_name] as const] : []))),
  }
}

export async function fetchHeat(api: Api, past: Past, cellM: number): Promise<HeatGrid & { totalS: number }> {
  const heat = await bodyOf(api.GET('/api/v1/client/ble/heatmap', { params: { query: { ...queryOf(past), cell_m: cellM } } }))
  return { min: { x: heat.min_x, y: heat.min_y }, cellM: heat.cell_m, columns: heat.columns, rows: heat.rows, values: heat.seconds, most: heat.max_s, totalS: heat.total_s }
}

/** The plan as it was at a moment, or as it is now. */
export function fetchPlanAt(api: Api, id: string, at: number | undefined): Promise<Plan> {
  return bodyOf(api.GET('/api/v1/client/ble/plans/{id}', { params: { path: { id }, query: { at: at === undefined ? undefined : iso(at) } } }))
}

/** From when on the plan looked how, milliseconds, oldest first. */
export async function fetchChanges(api: Api, id: string): Promise<number[]> {
  const versions = await allPages((cursor) => bodyOf(api.GET('/api/v1/client/ble/plans/{id}/versions', { params: { path: { id }, query: { limit: 200, cursor } } })))
  // Answers are exact to the microsecond, moments here to the millisecond: rounded up, they are not before the change.
  return versions.map(({ at }) => timeOf(at) + 1).sort((a, b) => a - b)
}
