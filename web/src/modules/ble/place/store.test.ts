import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { createApp } from 'vue'
import { apiKey, createApi } from '@/api/client'
import { useBleStore } from './store'

type Answer = () => Promise<Response>
let answers: Map<string, Answer[]>
let unauthorised: number

const json = (value: unknown, status = 200): Answer => async () => new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } })

/** What the server answers to its next requests of a path. */
const answer = (path: string, ...list: Answer[]) => answers.set(path, list)

async function fetchStub(input: RequestInfo | URL): Promise<Response> {
  const { pathname, searchParams } = new URL((input as Request).url)
  const next = answers.get(pathname + (searchParams.get('cursor') ?? ''))?.shift()
  if (!next) throw new TypeError('Failed to fetch')
  return next()
}

function store() {
  const app = createApp({})
  const pinia = createPinia()
  app.provide(apiKey, createApi({ fetch: fetchStub as typeof fetch, onUnauthorised: () => unauthorised++ }))
  app.use(pinia)
  setActivePinia(pinia)
  return useBleStore()
}

const location = (id: string, name: string, organisation_name = 'Org') => ({ id, name, organisation_name, organisation_id: organisation_name, address: '', time_zone: 'UTC', plans: [] })
const plan = (id: string, name = id) => ({ id, name, location_id: 'l', level: 0, bounds: { min: { x: 0, y: 0 }, max: { x: 1, y: 1 } }, walls: [], receivers: [], zones: [] })
const locations = '/api/v1/client/locations'
const plans = '/api/v1/client/ble/plans/'

beforeEach(() => {
  answers = new Map()
  unauthorised = 0
})

describe('locations', () => {
  it('come from every page, sorted by organisation and name', async () => {
    answer(locations, json({ items: [location('1', 'Site 10'), location('2', 'Site 9')], next: 'n' }))
    answer(`${locations}n`, json({ items: [location('3', 'A', 'Alpha')], next: '' }))
    const ble = store()
    await ble.loadLocations()
    expect([...ble.locations!.keys()]).toEqual(['3', '2', '1'])
  })

  it.each<[Answer, string]>([
    [json({ detail: 'no' }, 403), 'forbidden'],
    [json({}, 500), 'failed'],
    [json({}, 503), 'away'],
    [() => Promise.reject(new TypeError('Failed to fetch')), 'away'],
  ])('fail with a reason (%#)', async (reply, want) => {
    answer(locations, reply)
    const ble = store()
    await ble.loadLocations()
    expect(ble.failure).toBe(want)
    expect(ble.locations).toBeUndefined()
  })

  it('tell the shell when the session has ended', async () => {
    answer(locations, json({}, 401))
    await store().loadLocations()
    expect(unauthorised).toBe(1)
  })
})

describe('the plan', () => {
  it('is the one asked for last, even when an earlier answer comes later', async () => {
    let release: (response: Response) => void = () => undefined
    const slow = new Promise<Response>((resolve) => (release = resolve))
    answer(`${plans}a`, () => slow)
    answer(`${plans}b`, json(plan('b')))
    const ble = store()
    const first = ble.loadPlan('a')
    await ble.loadPlan('b')
    release(await json(plan('a'))())
    await first
    expect(ble.plan?.id).toBe('b')
  })

  it('stays when a refresh fails', async () => {
    answer(`${plans}a`, json(plan('a', 'old')), json({}, 500), json(plan('a', 'new')))
    const ble = store()
    await ble.loadPlan('a')
    await ble.refreshPlan()
    expect([ble.plan?.name, ble.failure]).toEqual(['old', undefined])
    await ble.refreshPlan()
    expect(ble.plan?.name).toBe('new')
  })

  it('is missing when the server says 404', async () => {
    answer(`${plans}a`, json({}, 404))
    const ble = store()
    await ble.loadPlan('a')
    expect(ble.failure).toBe('missing')
  })
})
