import { type Ref, shallowRef } from 'vue'
import { bodyOf, useApi } from '@/api/client'

export interface OrganisationName {
  id: string
  name: string
}

export interface UseOrganisationsReturn {
  found: Readonly<Ref<readonly OrganisationName[]>>
  busy: Readonly<Ref<boolean>>
  /** Looks for organisations by a part of the name; an overtaken answer is dropped. */
  find: (query: string) => Promise<void>
}

/** For super-admins: organisations by what is typed of their names. */
export function useOrganisations(): UseOrganisationsReturn {
  const api = useApi()
  const found = shallowRef<readonly OrganisationName[]>([])
  const busy = shallowRef(false)
  let generation = 0

  async function find(query: string): Promise<void> {
    const mine = ++generation
    busy.value = true
    const answer = await bodyOf(api.GET('/api/v1/admin/organisations', { params: { query: { limit: 50, query: query.trim() } } })).catch(() => undefined)
    if (mine !== generation) return
    busy.value = false
    if (answer) found.value = answer.items.map(({ id, name }) => ({ id, name }))
  }

  return { found, busy, find }
}
