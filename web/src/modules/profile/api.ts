import { type Api, bodyOf } from '@/api/client'
import type { Session, Token, TotpStart } from '@/api/types'
import type { Language } from '@/kit/languages'

export const changeMe = (api: Api, body: { name?: string; phone?: string; language?: Language }) => bodyOf(api.PATCH('/api/v1/auth/me', { body }))

export const changePassword = (api: Api, current: string, password: string) => bodyOf(api.PUT('/api/v1/auth/me/password', { body: { current, password } }))

export const changeEmail = (api: Api, email: string, password: string) => bodyOf(api.POST('/api/v1/auth/me/email', { body: { email, password } }))

export async function fetchSessions(api: Api): Promise<Session[]> {
  return (await bodyOf(api.GET('/api/v1/auth/sessions', {}))).items
}

export const endSession = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/auth/sessions/{id}', { params: { path: { id } } }))

export const endOtherSessions = (api: Api) => bodyOf(api.DELETE('/api/v1/auth/sessions'))

export const startTotp = (api: Api, password: string): Promise<TotpStart> => bodyOf(api.POST('/api/v1/auth/totp', { body: { password } }))

export async function confirmTotp(api: Api, code: string): Promise<string[]> {
  return (await bodyOf(api.PUT('/api/v1/auth/totp', { body: { code } }))).recovery_codes
}

export const stopTotp = (api: Api, password: string) => bodyOf(api.POST('/api/v1/auth/totp/off', { body: { password } }))

export async function renewRecovery(api: Api, password: string): Promise<string[]> {
  return (await bodyOf(api.POST('/api/v1/auth/totp/recovery', { body: { password } }))).recovery_codes
}

export async function fetchTokens(api: Api): Promise<Token[]> {
  return (await bodyOf(api.GET('/api/v1/auth/tokens', {}))).items
}

/** The token itself; the server shows it this once. */
export async function createToken(api: Api, name: string, days: number): Promise<string> {
  return (await bodyOf(api.POST('/api/v1/auth/tokens', { body: { name, expires_in_days: days } }))).token
}

export const deleteToken = (api: Api, id: string) => bodyOf(api.DELETE('/api/v1/auth/tokens/{id}', { params: { path: { id } } }))
