import { describe, expect, it } from 'vitest'
import { accessOf, can, mayChange } from './rights'
import { meAs } from './sessiontest/me'

const owner = meAs({ role: 'owner' })
const viewer = meAs({ role: 'viewer', locations: [{ id: 'l1', write: false }] })
const superAdmin = meAs({ superAdmin: true })
const acting = meAs({ superAdmin: true, actingIn: 'o2' })
const waiting = meAs({ role: 'owner', products: [] })

describe('accessOf', () => {
  it.each([
    ['an owner manages users', owner, { action: 'manage_users' }, 'ok'],
    ['a viewer does not', viewer, { action: 'manage_users' }, 'forbidden'],
    ['a viewer looks', viewer, { action: 'view', product: 'ble' }, 'ok'],
    ['what is switched off does not exist', waiting, { product: 'ble' }, 'missing'],
    ['nor does what is for super-admins', owner, { admin: true }, 'missing'],
    ['a super-admin has it', superAdmin, { admin: true }, 'ok'],
    ['a super-admin is in no organisation', superAdmin, { organisation: true, action: 'manage_users' }, 'forbidden'],
    ['unless acting', acting, { organisation: true, action: 'manage_users' }, 'ok'],
    ['nothing asked, nothing needed', viewer, {}, 'ok'],
  ] as const)('%s', (_, me, wanted, want) => {
    expect(accessOf(me, wanted)).toBe(want)
  })
})

describe('mayChange', () => {
  it('follows locations and the read-only mode', () => {
    const operator = meAs({ role: 'operator', locations: [{ id: 'l1', write: true }, { id: 'l2', write: false }] })
    expect(['l1', 'l2', 'l3'].map((id) => mayChange(operator, id))).toEqual([true, false, false])
    expect(mayChange(owner, 'any')).toBe(true)
    expect(mayChange(meAs({ role: 'owner', readOnly: true }), 'any')).toBe(false)
    expect(mayChange(undefined, 'any')).toBe(false)
  })
})

describe('can', () => {
  it('is nothing for nobody', () => {
    expect(can(undefined, 'view')).toBe(false)
    expect(can(viewer, 'view')).toBe(true)
  })
})
