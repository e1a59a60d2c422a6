import { accessOf } from '@/api/rights'
import type { Me } from '@/api/types'
import { type NavEntry, type NavGroup, navGroups } from '@/kit/module'
import { modules } from './registry'

export interface NavSection {
  group: NavGroup
  entries: NavEntry[]
}

/** Every entry of every module, asking for what its module asks for as well. */
export const allEntries: readonly NavEntry[] = modules.flatMap(({ product, action, admin, organisation, nav }) =>
  nav.map((entry) => ({ product, action, admin, organisation, ...entry })),
)

/** The navigation of a person; groups without entries are left out. */
export function navigationOf(me: Me, entries: readonly NavEntry[] = allEntries): NavSection[] {
  const mine = entries.filter((entry) => accessOf(me, entry) === 'ok')
  return navGroups
    .map((group) => ({ group, entries: mine.filter((entry) => entry.group === group) }))
    .filter((section) => section.entries.length > 0)
}

/** Where a person begins: the first entry of the navigation, once there is a product at all. */
export function homeOf(me: Me, entries: readonly NavEntry[] = allEntries): string {
  if (!me.activated && !me.user.super_admin) return '/waiting'
  return navigationOf(me, entries)[0]?.entries[0]?.to ?? '/profile'
}
