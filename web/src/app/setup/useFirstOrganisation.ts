import { type Ref, shallowRef } from 'vue'
import { useApi } from '@/api/client'
import type { Organisation } from '@/api/types'
import { fetchOrganisations } from '@/modules/organisations/api'

/** The organisation the assistant goes on with: the one made here, else the first of the list. */
export function useFirstOrganisation(): { organisation: Ref<Organisation | undefined>; find: () => Promise<void> } {
  const api = useApi()
  const organisation = shallowRef<Organisation>()

  async function find() {
    const { items } = await fetchOrganisations(api, { query: '', pending: '' }, { limit: 1 })
    organisation.value ??= items[0]
  }
  return { organisation, find }
}
