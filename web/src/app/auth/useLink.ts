import { type Ref, shallowRef } from 'vue'
import { useApi } from '@/api/client'
import { failureOf } from '@/api/errors'
import type { Link } from '@/api/types'
import { useProblemText } from '@/composables/useProblemText'
import { lookAtLink } from './account'

/** `used`: it is used up, too old, or was never one of ours; nobody is told which. */
export type LinkState = 'loading' | 'ready' | 'used' | 'failed'

export interface UseLinkReturn {
  token: string
  link: Ref<Link | undefined>
  state: Ref<LinkState>
  /** Why it could not be looked at. */
  problem: Ref<string>
  look: () => Promise<void>
}

/**
 * The one-time link of a mail. Its token is in the fragment, which no server
 * and no referrer sees; it leaves the address bar once it is used.
 */
export function useLink(): UseLinkReturn {
  const api = useApi()
  const token = window.location.hash.slice(1)
  const link = shallowRef<Link>()
  const state = shallowRef<LinkState>('loading')
  const problem = shallowRef('')
  const { problemText } = useProblemText()

  async function look() {
    state.value = 'loading'
    if (token === '') return void (state.value = 'used')
    try {
      link.value = await lookAtLink(api, token)
      state.value = 'ready'
    } catch (error) {
      problem.value = problemText(error)
      state.value = ['missing', 'invalid', 'conflict', 'unauthorised', 'forbidden'].includes(failureOf(error)) ? 'used' : 'failed'
    }
  }

  void look()
  return { token, link, state, problem, look }
}
