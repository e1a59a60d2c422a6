import { type Api, allPages, bodyOf } from '@/api/client'
import type { Op } from './editor/changes'
import { docOf, drawingBody, imageBody, receiverBody, zoneBody } from './editor/convert'
import type { Author, Backend, Loaded } from './editor/saver'
import type { Bounds, Doc } from './editor/model'
import type { Calibration, Coverage, Device, NewLocation, Place, PlanDrawing, SurveyTap, TagRef, Version } from './types'

const of = (id: string) => ({ params: { path: { id } } })
const part = (id: string, name: 'zid' | 'rid', of_: string) => ({ params: { path: { id, [name]: of_ } as never } })

/** Every location this person may see, with its plans and how many receivers are on line. */
export async function fetchPlaces(api: Api): Promise<Place[]> {
  const places = await allPages((cursor) => bodyOf(api.GET('/api/v1/client/ble/locations', { params: { query: { limit: 200, cursor } } })))
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  return places.sort((a, b) => compare(a.organisation_name, b.organisation_name) || compare(a.name, b.name))
}

export const createLocation = (api: Api, body: NewLocation) => bodyOf(api.POST('/api/v1/client/locations', { body }))
export const changeLocation = (api: Api, id: string, body: Partial<NewLocation>) => bodyOf(api.PATCH('/api/v1/client/locations/{id}', { ...of(id), body }))
/** Its devices stay, and belong to no location then; with plans it is refused unless these may go, too. */
export const deleteLocation = (api: Api, id: string, withPlans: boolean) =>
  bodyOf(api.DELETE('/api/v1/client/locations/{id}', { params: { path: { id }, query: withPlans ? { with: 'plans' } : {} } }))

export interface NewPlan {
  location_id: string
  name: string
  level: number
  bounds: Bounds
}

export const createPlan = (api: Api, body: NewPlan) => bodyOf(api.POST('/api/v1/client/ble/plans', { body: { ...body, zones_by: 'position' } }))
export const deletePlan = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/ble/plans/{id}', of(id)))
export const changePlan = (api: Api, id: string, body: { name?: string; level?: number; tag_height_m?: number }) =>
  bodyOf(api.PATCH('/api/v1/client/ble/plans/{id}', { ...of(id), body }))

/** The plan as it is, or as it was then. */
export function fetchPlan(api: Api, id: string, at?: string): Promise<PlanDrawing> {
  return bodyOf(api.GET('/api/v1/client/ble/plans/{id}', { params: { path: { id }, query: at ? { at } : {} } }))
}

/** Who changed the plan when, newest first. */
export async function fetchVersions(api: Api, id: string): Promise<Version[]> {
  const { items } = await bodyOf(api.GET('/api/v1/client/ble/plans/{id}/versions', { params: { path: { id }, query: { limit: 100 } } }))
  return items
}

export function fetchCoverage(api: Api, id: string, cellM: number): Promise<Coverage> {
  return bodyOf(api.GET('/api/v1/client/ble/plans/{id}/coverage', { params: { path: { id }, query: { cell_m: cellM } } }))
}

export const fetchCalibration = (api: Api, id: string): Promise<Calibration> => bodyOf(api.GET('/api/v1/client/ble/plans/{id}/calibration', of(id)))
export const tapSurvey = (api: Api, id: string, body: SurveyTap) => bodyOf(api.POST('/api/v1/client/ble/plans/{id}/survey/taps', { ...of(id), body }))
/** `key` names the wish: asked again after silence, the plan is scaled once. */
export const scalePlan = (api: Api, id: string, factor: number, key: string) =>
  bodyOf(api.POST('/api/v1/client/ble/plans/{id}/scale', { ...of(id), headers: { 'Idempotency-Key': key }, body: { factor } }))
export const deletePicture = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/client/ble/plans/{id}/image', of(id)))

/** A picture of at most 20 MiB; gives how wide the server keeps it, pixels. */
export async function uploadPicture(api: Api, id: string, file: File): Promise<number> {
  const { image } = await bodyOf(api.PUT('/api/v1/client/ble/plans/{id}/image', {
    ...of(id), body: '', bodySerializer: () => file, headers: { 'Content-Type': file.type },
  }))
  return image?.width_px ?? 1
}

export const setPicture = (api: Api, id: string, body: ReturnType<typeof imageBody>) => bodyOf(api.PATCH('/api/v1/client/ble/plans/{id}/image', { ...of(id), body }))

/** Devices of the location that hang on no other plan, by number; `own` are those of this plan. */
export async function fetchUnplaced(api: Api, location: string, own: ReadonlySet<string>): Promise<Device[]> {
  const [devices, placed] = await Promise.all([
    allPages((cursor) => bodyOf(api.GET('/api/v1/client/devices', { params: { query: { limit: 200, location_id: location, cursor } } }))),
    allPages((cursor) => bodyOf(api.GET('/api/v1/client/ble/receivers', { params: { query: { limit: 200, location, cursor } } }))),
  ])
  const taken = new Set(placed.map(({ device_id: device }) => device))
  return devices.filter(({ id }) => own.has(id) || !taken.has(id)).sort((a, b) => a.number - b.number)
}

export async function findTags(api: Api, name: string): Promise<TagRef[]> {
  const { items } = await bodyOf(api.GET('/api/v1/client/ble/tags', { params: { query: { limit: 20, ...(name ? { name } : {}) } } }))
  return items
}

export const setReference = (api: Api, tag: string, plan: string, { x, y }: { x: number; y: number }) =>
  bodyOf(api.PUT('/api/v1/client/ble/tags/{id}/reference', { ...of(tag), body: { plan_id: plan, x, y } }))
export const deleteReference = (api: Api, tag: string) => bodyOf(api.DELETE('/api/v1/client/ble/tags/{id}/reference', of(tag)))

/** The plan for the editor, with the tag that If-Match takes. */
async function load(api: Api, id: string, onPlan: (plan: PlanDrawing) => void): Promise<Loaded> {
  let etag = ''
  const plan = await bodyOf(api.GET('/api/v1/client/ble/plans/{id}', of(id)).then((answer) => {
    etag = answer.response.headers.get('ETag') ?? ''
    return answer
  }))
  onPlan(plan)
  return { doc: docOf(plan), etag }
}

/** The server of one plan, as saving sees it; `onPlan` hears of every reading. */
export function backendOf(api: Api, id: string, onPlan: (plan: PlanDrawing) => void): Backend {
  return {
    load: () => load(api, id, onPlan),
    send: (op, key, etag) => sendOp(api, id, op, { 'Idempotency-Key': key }, { 'If-Match': etag }),
    author: async (): Promise<Author | undefined> => {
      const [last] = await fetchVersions(api, id)
      return last && { by: last.by, at: last.at }
    },
  }
}

type Headers = Record<string, string>

async function sendOp(api: Api, id: string, op: Op, once: Headers, match: Headers): Promise<string | undefined> {
  switch (op.kind) {
    case 'bounds':
      return void (await bodyOf(api.PATCH('/api/v1/client/ble/plans/{id}', { ...of(id), headers: match, body: { bounds: op.bounds } })))
    case 'drawing':
      return void (await bodyOf(api.PUT('/api/v1/client/ble/plans/{id}/drawing', { ...of(id), headers: match, body: drawingBody(op.items) })))
    case 'picture':
      return void (await bodyOf(api.PATCH('/api/v1/client/ble/plans/{id}/image', { ...of(id), headers: match, body: imageBody(op.picture) })))
    default:
      return op.part.kind === 'zone' ? sendZone(api, id, op, once, match) : sendReceiver(api, id, op, once, match)
  }
}

type PartOp = Extract<Op, { part: unknown }>

async function sendZone(api: Api, id: string, { kind, part: zone }: PartOp, once: Headers, match: Headers): Promise<string | undefined> {
  if (zone.kind !== 'zone') throw new Error('BUG: no zone')
  const one = part(id, 'zid', zone.id)
  if (kind === 'add') return (await bodyOf(api.POST('/api/v1/client/ble/plans/{id}/zones', { ...of(id), headers: once, body: zoneBody(zone) }))).id
  if (kind === 'change') await bodyOf(api.PUT('/api/v1/client/ble/plans/{id}/zones/{zid}', { ...one, headers: match, body: zoneBody(zone) }))
  else await bodyOf(api.DELETE('/api/v1/client/ble/plans/{id}/zones/{zid}', { ...one, headers: match }))
  return undefined
}

async function sendReceiver(api: Api, id: string, { kind, part: receiver }: PartOp, once: Headers, match: Headers): Promise<string | undefined> {
  if (receiver.kind !== 'receiver') throw new Error('BUG: no receiver')
  const one = part(id, 'rid', receiver.id)
  if (kind === 'add') return (await bodyOf(api.POST('/api/v1/client/ble/plans/{id}/receivers', { ...of(id), headers: once, body: receiverBody(receiver) }))).id
  if (kind === 'change') await bodyOf(api.PUT('/api/v1/client/ble/plans/{id}/receivers/{rid}', { ...one, headers: match, body: receiverBody(receiver) }))
  else await bodyOf(api.DELETE('/api/v1/client/ble/plans/{id}/receivers/{rid}', { ...one, headers: match }))
  return undefined
}

/** Whether the drawing has anything on it. */
export const isEmpty = ({ items }: Doc): boolean => items.every(({ kind }) => kind === 'picture')
