import { describe, expect, it } from 'vitest'
import { meAs } from '@/api/sessiontest/me'
import { allEntries, homeOf, navigationOf } from './navigation'
import { modules } from './registry'
import { pagesOf } from './router'

const paths = (me: Parameters<typeof navigationOf>[0]) => navigationOf(me).flatMap(({ entries }) => entries.map(({ to }) => to))

describe('navigationOf', () => {
  it('gives each role its own', () => {
    const people = ['/people', '/rights']
    const has = (role: string) => people.filter((path) => paths(meAs({ role })).includes(path))
    expect(has('owner')).toEqual(people)
    for (const role of ['admin', 'manager', 'operator', 'viewer']) expect(has(role)).toEqual(['/rights'])
  })

  it('keeps what is for super-admins from everybody else', () => {
    const forAll = allEntries.filter(({ admin }) => admin).map(({ to }) => to)
    expect(forAll).toContain('/organisations')
    for (const role of ['owner', 'admin', 'manager', 'operator', 'viewer']) {
      expect(paths(meAs({ role })).filter((path) => forAll.includes(path))).toEqual([])
    }
    expect(paths(meAs({ superAdmin: true }))).toEqual(expect.arrayContaining(forAll))
  })

  it('shows a super-admin what is inside an organisation only while acting', () => {
    expect(paths(meAs({ superAdmin: true }))).not.toContain('/people')
    expect(paths(meAs({ superAdmin: true, actingIn: 'o2' }))).toContain('/people')
  })

  it('has no entry of a product that is off', () => {
    expect(paths(meAs({ role: 'owner', products: [] }))).not.toContain('/map')
  })

  it('leads only to pages that exist', () => {
    const known = modules.flatMap(pagesOf).map(({ path }) => `/${path.split('/:')[0]}`)
    expect(allEntries.map(({ to }) => to).filter((to) => !known.includes(to))).toEqual([])
  })
})

describe('homeOf', () => {
  it('is the first entry, or the waiting room before there is a product', () => {
    expect(homeOf(meAs({ role: 'viewer' }))).toBe('/map')
    expect(homeOf(meAs({ role: 'owner', products: [] }))).toBe('/waiting')
    expect(homeOf(meAs({ superAdmin: true }))).toBe('/map')
    expect(homeOf(meAs({ role: 'owner' }), [])).toBe('/profile')
  })
})

describe('pagesOf', () => {
  it('hands a module’s requirements down unless a page has its own', () => {
    const page = { path: 'x', component: {} }
    const module = { id: 'x', title: 'x.title', icon: '', home: '/x', nav: [], messages: {} as never, action: 'manage_users' as const, organisation: true }
    const [inherits, own] = pagesOf({ ...module, routes: [page, { ...page, meta: { action: 'view', title: 'x.other' } }] })
    expect(inherits?.meta).toMatchObject({ action: 'manage_users', organisation: true, title: 'x.title' })
    expect(own?.meta).toMatchObject({ action: 'view', organisation: true, title: 'x.other' })
  })
})
