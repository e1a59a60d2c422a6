import type { Action, Requirement } from '@/kit/module'
import type { Me } from './types'

/** What the person may do with a part of the console. `missing`: it is to look as if it did not exist. */
export type Access = 'ok' | 'missing' | 'forbidden'

/**
 * Mirrors the server's decision for menus and pages. It only spares people
 * refusals: every request is decided by the server anew.
 */
export function accessOf(me: Me, wanted: Requirement): Access {
  if (wanted.admin && !me.user.super_admin) return 'missing'
  if (wanted.product && !hasProduct(me, wanted.product)) return 'missing'
  if (wanted.organisation && !me.organisation && !me.acting) return 'forbidden'
  if (wanted.action && !can(me, wanted.action)) return 'forbidden'
  return 'ok'
}

export function can(me: Me | undefined, action: Action): boolean {
  return me?.rights.actions.includes(action) ?? false
}

/** Whether the location may be changed, given that the action as such is allowed. */
export function mayChange(me: Me | undefined, location: string): boolean {
  if (!me || me.user.read_only) return false
  return me.rights.everywhere || me.rights.locations.some(({ id, write }) => id === location && write)
}

export function hasProduct(me: Me | undefined, product: string): boolean {
  return me?.products.includes(product) ?? false
}
