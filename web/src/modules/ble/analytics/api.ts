import { type Api, bodyOf } from '@/api/client'
import type { components } from '@/api/schema'
import type { Plan } from '@/api/types'
import type { Page, PageRequest } from '@/kit/data/types'
import { type Comparison, parametersOf, type Question } from './question'

type Schemas = components['schemas']
export type Summary = Schemas['Summary']
export type Figures = Schemas['Figures']
export type DwellRow = Schemas['DwellRow']
export type Occupancy = Schemas['Occupancy']
export type Links = Schemas['Links']
export type Path = Schemas['Path']
export type Visit = Schemas['Visit'] & { id: string }
export type Presence = Schemas['PresenceRow'] & { id: string }
export type By = 'zone' | 'tag' | 'hour' | 'hour_weekday'

const root = '/api/v1/client/ble'

export function fetchSummary(api: Api, question: Question, compare: Comparison): Promise<Summary> {
  return bodyOf(api.GET(`${root}/summary`, { params: { query: { ...parametersOf(question), compare: compare || undefined } } }))
}

/** Sums of dwell; `between` replaces the question's days, for the period that is compared with. */
export async function fetchDwell(api: Api, question: Question, by: By, between?: { from: string; to: string }): Promise<DwellRow[]> {
  return (await bodyOf(api.GET(`${root}/dwell`, { params: { query: { ...parametersOf(question), ...between, by } } }))).items
}

export function fetchOccupancy(api: Api, question: Question, step: '5m' | '15m' | '1h' | '1d'): Promise<Occupancy> {
  return bodyOf(api.GET(`${root}/occupancy`, { params: { query: { ...parametersOf(question), step } } }))
}

export function fetchLinks(api: Api, question: Question): Promise<Links> {
  return bodyOf(api.GET(`${root}/routes`, { params: { query: parametersOf(question) } }))
}

export async function fetchPaths(api: Api, question: Question, depth: number): Promise<Path[]> {
  return (await bodyOf(api.GET(`${root}/routes/paths`, { params: { query: { ...parametersOf(question), depth, limit: 100 } } }))).items
}

export async function fetchPresence(api: Api, question: Question, page: PageRequest): Promise<Page<Presence>> {
  const { items, next } = await bodyOf(api.GET(`${root}/presence`, { params: { query: { ...parametersOf(question), ...page } } }))
  return { next, items: items.map((row) => ({ ...row, id: `${row.day}${row.tag}` })) }
}

export async function fetchVisits(api: Api, question: Question, order: 'oldest' | 'newest', page: PageRequest): Promise<Page<Visit>> {
  const { items, next } = await bodyOf(api.GET(`${root}/visits`, { params: { query: { ...parametersOf(question), order, ...page } } }))
  return { next, items: items.map((row) => ({ ...row, id: row.visit_id })) }
}

export function fetchPlan(api: Api, id: string): Promise<Plan> {
  return bodyOf(api.GET(`${root}/plans/{id}`, { params: { path: { id } } }))
}
