import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'
import type { Job, JobState } from './types'

export interface JobQuery {
  state?: JobState
  kind?: string
}

export const fetchJobs = (api: Api, query: JobQuery, page: PageRequest): Promise<Page<Job>> =>
  bodyOf(api.GET('/api/v1/admin/jobs', { params: { query: { ...query, ...page } } }))

export async function retryJob(api: Api, id: string): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/jobs/{id}/retry', { params: { path: { id } } }))
}

export async function cancelJob(api: Api, id: string): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/jobs/{id}/cancel', { params: { path: { id } } }))
}
