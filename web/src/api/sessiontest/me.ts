import type { Action } from '@/kit/module'
import type { Me } from '../types'

export interface PersonOptions {
  role?: string
  superAdmin?: boolean
  readOnly?: boolean
  products?: string[]
  locations?: { id: string; write: boolean }[]
  actingIn?: string
}

const all: Action[] = ['view', 'export', 'device_settings', 'manage_tags', 'manage_users', 'edit_plans', 'read_audit', 'open_dashboard']

// The customer's table, as the server would answer it.
const byRole: Record<string, Action[]> = {
  owner: all,
  admin: all.filter((action) => action !== 'manage_users'),
  manager: ['view', 'export'],
  operator: ['view', 'device_settings', 'manage_tags', 'edit_plans', 'open_dashboard'],
  viewer: ['view'],
}
const looks: Action[] = ['view', 'export', 'read_audit']

/** Who a test is, as the server would say it. */
export function meAs(options: PersonOptions): Me {
  const { role = '', superAdmin = false, readOnly = false, products = ['ble'], locations, actingIn } = options
  const mine = superAdmin ? (actingIn ? all : looks) : (byRole[role] ?? [])
  return {
    user: { id: 'u1', email: 'anna@example.com', name: 'Anna', phone: '', role, super_admin: superAdmin, read_only: readOnly, language: 'en', totp: false, organisation_id: superAdmin ? '' : 'o1' },
    organisation: superAdmin ? undefined : { id: 'o1', name: 'Own', time_zone: 'UTC', phone: '' },
    products: superAdmin ? ['ble'] : products,
    rights: { actions: readOnly ? mine.filter((action) => looks.includes(action)) : mine, everywhere: superAdmin || (!locations && ['owner', 'admin', 'manager'].includes(role)), locations: locations ?? [] },
    acting: actingIn ? { organisation_id: actingIn, organisation: 'Other', reason: 'test', since: '2026-01-01T00:00:00Z' } : undefined,
    activated: superAdmin || products.length > 0,
  }
}
