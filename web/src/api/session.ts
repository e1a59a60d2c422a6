import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { bodyOf, useApi } from './client'
import { failureOf } from './errors'
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

  /** Throws an ApiError when the server refuses. */
  async function login(email: string, password: string): Promise<void> {
    await bodyOf(api.POST('/api/v1/auth/login', { body: { email, password } }))
    await load()
  }

  /** Ends the session here even when the server cannot be told. */
  async function logout(): Promise<void> {
    await bodyOf(api.POST('/api/v1/auth/logout')).catch(() => undefined)
    forget()
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
  const hasProduct = (id: string) => me.value?.user.super_admin === true || (me.value?.products ?? []).includes(id)
  return { state, me, user, load, login, logout, forget, probe, hasProduct }
})
