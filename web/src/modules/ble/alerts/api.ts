import { allPages, type Api, bodyOf } from '@/api/client'
import type { components } from '@/api/schema'
import type { Page, PageRequest } from '@/kit/data/types'

type Schemas = components['schemas']

export type Alert = Schemas['Alert']
export type Rule = Schemas['AlertRule']
export type NewRule = Schemas['NewRuleBody']
export type Condition = Schemas['Condition']
export type Schedule = Schemas['Schedule']
export type Kind = Alert['kind']
export type Webhook = Schemas['Webhook']
export type Delivery = Schemas['Delivery']

export const kinds: readonly Kind[] = ['enter', 'leave', 'stay', 'capacity', 'tag_lost', 'receiver_silent', 'battery_low']
export const isZonal = (kind: Kind) => kind === 'enter' || kind === 'leave' || kind === 'stay' || kind === 'capacity'

export interface AlertQuery {
  state: string
  kind: string
  location: string
  from: string
  to: string
}

const root = '/api/v1/client/ble'
const of = (id: string) => ({ params: { path: { id } } })

/** The filters that are set; a day becomes its first moment, the last day is whole. */
function asked({ state, kind, location, from, to }: AlertQuery) {
  const end = to ? new Date(new Date(`${to}T00:00`).getTime() + 86_400_000).toISOString() : ''
  const start = from ? new Date(`${from}T00:00`).toISOString() : ''
  return Object.fromEntries(Object.entries({ state, kind, location, from: start, to: end }).filter(([, value]) => value !== ''))
}

export function fetchAlerts(api: Api, query: AlertQuery, page: PageRequest): Promise<Page<Alert>> {
  return bodyOf(api.GET(`${root}/alerts`, { params: { query: { ...page, ...asked(query) } } }))
}

export const fetchAlert = (api: Api, id: string): Promise<Alert> => bodyOf(api.GET(`${root}/alerts/{id}`, of(id)))
export const countAlerts = (api: Api) => bodyOf(api.GET(`${root}/alerts/count`, {}))
export const acknowledge = (api: Api, id: string, note: string): Promise<Alert> =>
  bodyOf(api.POST(`${root}/alerts/{id}/acknowledge`, { ...of(id), body: { note } }))

export const fetchRules = (api: Api, page: PageRequest): Promise<Page<Rule>> => bodyOf(api.GET(`${root}/alert-rules`, { params: { query: page } }))
export const createRule = (api: Api, body: NewRule): Promise<Rule> => bodyOf(api.POST(`${root}/alert-rules`, { body }))
export const deleteRule = (api: Api, id: string) => bodyOf(api.DELETE(`${root}/alert-rules/{id}`, of(id)))
export const testRule = (api: Api, id: string) => bodyOf(api.POST(`${root}/alert-rules/{id}/test`, of(id)))
export const muteRule = (api: Api, id: string, until: string | null): Promise<Rule> =>
  bodyOf(api.POST(`${root}/alert-rules/{id}/mute`, { ...of(id), body: { until } }))
export const changeRule = (api: Api, id: string, body: Schemas['ChangedRuleBody']): Promise<Rule> =>
  bodyOf(api.PATCH(`${root}/alert-rules/{id}`, { ...of(id), body }))

export interface Choice {
  value: string
  title: string
}

/** The zones and receivers of a location, by plan. */
export async function fetchThings(api: Api, plans: readonly { id: string; name: string }[]): Promise<{ zones: Choice[]; receivers: Choice[] }> {
  const drawn = await Promise.all(plans.map(({ id }) => bodyOf(api.GET(`${root}/plans/{id}`, of(id)))))
  const many = drawn.length > 1
  const title = (name: string, plan: string) => (many ? `${name} · ${plan}` : name)
  return {
    zones: drawn.flatMap((plan) => plan.zones.map(({ id, name, number }) => ({ value: id, title: title(name || `#${number}`, plan.name) }))),
    receivers: drawn.flatMap((plan) => plan.receivers.map(({ id, name, number }) => ({ value: id, title: title(name || `#${number}`, plan.name) }))),
  }
}

export async function findTags(api: Api, name: string): Promise<Choice[]> {
  const found = await bodyOf(api.GET(`${root}/tags`, { params: { query: { limit: 20, ...(name ? { name } : {}) } } }))
  return found.items.map((tag) => ({ value: tag.id, title: tag.name }))
}

const hooks = '/api/v1/client/webhooks'
export const fetchWebhooks = (api: Api): Promise<Webhook[]> =>
  allPages((cursor) => bodyOf(api.GET(hooks, { params: { query: { limit: 200, cursor } } })))
export const fetchWebhook = (api: Api, id: string): Promise<Webhook> => bodyOf(api.GET(`${hooks}/{id}`, of(id)))
export const createWebhook = (api: Api, body: { name: string; url: string }): Promise<Webhook> => bodyOf(api.POST(hooks, { body }))
export const changeWebhook = (api: Api, id: string, body: Schemas['ChangedHookBody']): Promise<Webhook> => bodyOf(api.PATCH(`${hooks}/{id}`, { ...of(id), body }))
export const deleteWebhook = (api: Api, id: string) => bodyOf(api.DELETE(`${hooks}/{id}`, of(id)))
export const testWebhook = (api: Api, id: string): Promise<Delivery> => bodyOf(api.POST(`${hooks}/{id}/test`, of(id)))

export function fetchDeliveries(api: Api, id: string, page: PageRequest): Promise<Page<Delivery>> {
  return bodyOf(api.GET(`${hooks}/{id}/deliveries`, { params: { path: { id }, query: page } }))
}
