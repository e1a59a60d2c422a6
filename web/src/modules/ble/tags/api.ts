import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'
import type { Bound, ImportResult, Tag, TagBinding, UnknownTag } from './types'

export interface TagQuery {
  name?: string
  type?: Tag['type']
  state?: Tag['state']
  location?: string
  plan?: string
  zone?: string
  battery_below?: number
  unbound?: 'true' | 'false'
}

const root = '/api/v1/client/ble/tags'
const one = (id: string) => ({ params: { path: { id } } })

export const fetchTags = (api: Api, query: TagQuery, page: PageRequest): Promise<Page<Tag>> =>
  bodyOf(api.GET(root, { params: { query: { ...query, ...page } } }))

/** Where the browser saves the list from. */
export function exportAddress(query: TagQuery): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  return `${root}.csv?${new URLSearchParams(given)}`
}

export const fetchTag = (api: Api, id: string): Promise<Tag> => bodyOf(api.GET(`${root}/{id}`, one(id)))

export const createTag = (api: Api, tag: Bound & { transmitter: string }): Promise<Tag> => bodyOf(api.POST(root, { body: tag }))

export const changeTag = (api: Api, id: string, change: Partial<Bound>): Promise<Tag> =>
  bodyOf(api.PATCH(`${root}/{id}`, { ...one(id), body: change }))

export async function deleteTag(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE(`${root}/{id}`, one(id)))
}

export async function fetchBindings(api: Api, id: string): Promise<TagBinding[]> {
  return (await bodyOf(api.GET(`${root}/{id}/bindings`, one(id)))).items
}

export const bindTag = (api: Api, id: string, to: Bound): Promise<Tag> => bodyOf(api.PUT(`${root}/{id}/binding`, { ...one(id), body: to }))

export async function unbindTag(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE(`${root}/{id}/binding`, one(id)))
}

/** The server keeps the square of it, in its own making. */
export const setPhoto = (api: Api, id: string, photo: Blob): Promise<Tag> =>
  bodyOf(api.PUT(`${root}/{id}/photo`, {
    ...one(id), body: photo as never, bodySerializer: (body: unknown) => body as Blob, headers: { 'Content-Type': photo.type },
  }))

export async function deletePhoto(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE(`${root}/{id}/photo`, one(id)))
}

/** Transmitters that are heard and are no tags, the loudest first. */
export async function fetchUnknown(api: Api, query: { location?: string; random?: boolean }): Promise<UnknownTag[]> {
  return (await bodyOf(api.GET(`${root}/unknown`, { params: { query } }))).items
}

/** With `dryRun` it only says what would happen. */
export const importTags = (api: Api, csv: string, dryRun: boolean): Promise<ImportResult> =>
  bodyOf(api.POST(`${root}/import`, {
    params: { query: { dry_run: dryRun } }, body: csv as never, bodySerializer: (text: unknown) => text as string, headers: { 'Content-Type': 'text/csv' },
  }))

/** Says that the tag hangs at a known point of a plan, in metres. */
export async function hangReference(api: Api, id: string, at: { plan_id: string; x: number; y: number }): Promise<void> {
  await bodyOf(api.PUT(`${root}/{id}/reference`, { ...one(id), body: at }))
}

export async function removeReference(api: Api, id: string): Promise<void> {
  await bodyOf(api.DELETE(`${root}/{id}/reference`, one(id)))
}
