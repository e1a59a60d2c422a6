import { type Api, bodyOf } from '@/api/client'
import type { Link, Registration } from '@/api/types'

export function register(api: Api, body: Registration): Promise<unknown> {
  return bodyOf(api.POST('/api/v1/auth/register', { body }))
}

export function requestReset(api: Api, email: string): Promise<unknown> {
  return bodyOf(api.POST('/api/v1/auth/password/forgot', { body: { email } }))
}

/** Looks at a link without using it up. */
export function lookAtLink(api: Api, token: string): Promise<Link> {
  return bodyOf(api.POST('/api/v1/auth/links', { body: { token } }))
}

/** Of a registration, by the password that was chosen then; of a change of the e-mail without. */
export function confirmEmail(api: Api, token: string, password?: string): Promise<unknown> {
  return bodyOf(api.POST('/api/v1/auth/confirm', { body: { token, password } }))
}

export function setPassword(api: Api, token: string, password: string, name?: string): Promise<unknown> {
  return bodyOf(api.POST('/api/v1/auth/password', { body: { token, password, ...(name ? { name } : {}) } }))
}
