import { expect, it } from 'vitest'
import { createApi } from '@/api/client'
import { deleteLocation } from './api'

it.each([[true, '/api/v1/client/locations/l?with=plans'], [false, '/api/v1/client/locations/l']])('deletes a location with its plans when that was asked for (%s)', async (withPlans, address) => {
  const asked: string[] = []
  async function fetchStub(input: RequestInfo | URL): Promise<Response> {
    const { method, url } = input as Request
    asked.push(`${method} ${url.slice(url.indexOf('/api/'))}`)
    return new Response(null, { status: 204 })
  }
  await deleteLocation(createApi({ fetch: fetchStub as typeof fetch, onUnauthorised: () => undefined }), 'l', withPlans)
  expect(asked).toEqual([`DELETE ${address}`])
})
