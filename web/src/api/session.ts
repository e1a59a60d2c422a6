import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { Action, Requirement } from '@/kit/module'
import { bodyOf, useApi } from './client'
import { failureOf } from './errors'
import { type Access, accessOf, can as canDo, hasProduct as hasIt, mayChange as mayChangeIt } from './rights'
import type { Me } from './types'

/** Who is logged in. `unknown` until the server was asked, `away` while it does not answer. */
export type SessionState = 'unknown' | 'in' | 'out' | 'away'

export const useSessionStore = defineStore('session', () => {
  const api = useApi()
  const me = shallowRef<Me>()
  const state = shallowRef<SessionState>('unknown')

  /** Asks the server who this is; never throws. */
  async function load(): Promise<SessionState> {
    try {
      me.value = await bodyOf(api.GET('/api/v1/auth/me', {}))
      state.value = 'in'
    } catch (error) {
      if (failureOf(error) === 'unauthorised') forget()
      else state.value = 'away'
    }
    return state.value
  }

  /** Asks anew what the person may do; while the server is away things stay as they were. */
  async function refresh(): Promise<void> {
    const answer = await bodyOf(api.GET('/api/v1/auth/me', {})).catch((error: unknown) => {
      if (failureOf(error) === 'unauthorised') forget()
      return undefined
    })
    if (answer) me.value = answer
  }

  /** Throws an ApiError when the server refuses; one about `code` asks for the second factor. */
  async function login(email: string, password: string, code?: string): Promise<void> {
    await bodyOf(api.POST('/api/v1/auth/login', { body: { email, password, ...(code ? { code } : {}) } }))
    await load()
  }

  /** Ends the session here even when the server cannot be told. */
  async function logout(): Promise<void> {
    await bodyOf(api.POST('/api/v1/auth/logout')).catch(() => undefined)
    forget()
  }

  /** Switches into an organisation; throws an ApiError. */
  async function act(organisation: string, reason: string): Promise<void> {
    me.value = await bodyOf(api.PUT('/api/v1/auth/acting', { body: { organisation_id: organisation, reason } }))
  }

  async function endActing(): Promise<void> {
    await bodyOf(api.DELETE('/api/v1/auth/acting'))
    await load()
  }

  function forget() {
    me.value = undefined
    state.value = 'out'
  }

  /** For the live socket: how things stand, without changing the session. */
  async function probe(): Promise<'ok' | 'unauthorised' | 'away'> {
    try {
      await bodyOf(api.GET('/api/v1/auth/me', {}))
      return 'ok'
    } catch (error) {
      return failureOf(error) === 'unauthorised' ? 'unauthorised' : 'away'
    }
  }

  const user = computed(() => me.value?.user)
  const isSuperAdmin = computed(() => me.value?.user.super_admin === true)
  const isActing = computed(() => me.value?.acting !== undefined)
  /** The organisation whose things are changed: one's own, or the one acted in. */
  const organisationId = computed(() => me.value?.acting?.organisation_id ?? me.value?.organisation?.id)
  const hasProduct = (id: string) => hasIt(me.value, id)
  const can = (action: Action) => canDo(me.value, action)
  const mayChange = (location: string) => mayChangeIt(me.value, location)
  const accessTo = (wanted: Requirement): Access => (me.value ? accessOf(me.value, wanted) : 'ok')
  return {
    state, me, user, isSuperAdmin, isActing, organisationId,
    load, refresh, login, logout, act, endActing, forget, probe, hasProduct, can, mayChange, accessTo,
  }
})
