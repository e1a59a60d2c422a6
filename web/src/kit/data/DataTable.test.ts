import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, createApp, defineComponent, h, nextTick, reactive } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { createVuetify } from 'vuetify'
import DataTable from './DataTable.vue'
import { flushPromises } from './datatest/mountSetup'
import messages from './locales/en.json'
import type { ListState, Sort } from './types'
import { useSelection } from './useSelection'

interface Row { id: string; name: string; count: number }
const rows: Row[] = ['Anna', 'Boris', 'Vera'].map((name, i) => ({ id: `id${i}`, name, count: i * 10 }))
const columns = [
  { key: 'name', title: 'Name', text: (row: Row) => row.name, sortable: true },
  { key: 'count', title: 'Count', text: (row: Row) => String(row.count), numeric: true },
]
const empty = { icon: 'M0', title: 'No people', text: 'Invite somebody.' }

let app: App | undefined
let room: HTMLElement
let router: Router

interface Given { rows: Row[]; state: ListState; error?: unknown; filtered?: boolean; sort?: Sort }

async function show(change: Partial<Given> = {}) {
  const given = reactive<Given>({ rows, state: 'ready', ...change })
  const selection = useSelection()
  const events: string[] = []
  const nothing = defineComponent(() => () => h('div'))
  router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: nothing }] })
  app = createApp(defineComponent(() => () => h(DataTable<Row>, {
    ...given, label: 'People', columns, empty, selection, to: (row: Row) => `/people/${row.id}`,
    onRetry: () => events.push('retry'), onClear: () => events.push('clear'), 'onUpdate:sort': (sort?: Sort) => (given.sort = sort),
  })))
  room = document.body.appendChild(document.createElement('div'))
  app.use(router).use(createI18n({ legacy: false, locale: 'en', messages: { en: messages } })).use(createVuetify()).mount(room)
  await nextTick()
  return { given, selection, events }
}

const all = (selector: string) => [...room.querySelectorAll<HTMLElement>(selector)]
const row = (n: number) => all('[data-row]')[n]!
const key = (name: string, more: KeyboardEventInit = {}) =>
  document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...more }))
const wide = (width: number) => (window as unknown as { happyDOM: { setViewport: (size: { width: number }) => void } }).happyDOM.setViewport({ width })

beforeEach(() => wide(1280))
afterEach(() => {
  app?.unmount()
  room.remove()
})

describe('DataTable', () => {
  it('shows rows with one of them reachable by Tab', async () => {
    await show()
    expect(all('tbody td').map((cell) => cell.textContent?.trim())).toEqual(['', 'Anna', '0', '', 'Boris', '10', '', 'Vera', '20'])
    expect(all('[data-row]').map((element) => element.tabIndex)).toEqual([0, -1, -1])
    expect(row(0).querySelector('a')?.getAttribute('href')).toBe('/people/id0')
  })

  it('is walked, opened and selected by keyboard', async () => {
    const { selection } = await show()
    row(0).focus()
    key('ArrowDown')
    await nextTick()
    expect(document.activeElement).toBe(row(1))
    key(' ')
    key('End')
    await nextTick()
    key(' ', { shiftKey: true })
    expect([...selection.ids.value]).toEqual(['id1', 'id2'])
    key('ArrowDown')
    key('Enter')
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/people/id2')
  })

  it('opens by a press on the row, but not on its box', async () => {
    const { selection } = await show()
    row(1).querySelector('input')!.click()
    await flushPromises()
    expect([selection.has('id1'), router.currentRoute.value.path]).toEqual([true, '/'])
    row(1).querySelectorAll('td')[2]!.click()
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/people/id1')
  })

  it('selects the page and shows when it is selected in part', async () => {
    const { selection } = await show()
    selection.toggle('id2')
    await nextTick()
    const box = room.querySelector<HTMLInputElement>('thead input')!
    expect([box.indeterminate, box.checked]).toEqual([true, false])
    box.click()
    await nextTick()
    expect(selection.count.value).toBe(3)
    expect([box.indeterminate, box.checked]).toEqual([false, true])
  })

  it('asks for an order and turns it round', async () => {
    const { given } = await show()
    const head = () => all('th')[1]!
    head().querySelector('button')!.click()
    await nextTick()
    expect(head().getAttribute('aria-sort')).toBe('ascending')
    head().querySelector('button')!.click()
    await nextTick()
    expect(given.sort).toEqual({ key: 'name', descending: true })
  })

  it.each([
    ['nothing there', { rows: [], state: 'ready' as const }, 'No people', undefined],
    ['no match', { rows: [], state: 'ready' as const, filtered: true }, 'Nothing matches', 'clear'],
    ['a failure', { rows, state: 'failed' as const, error: { failure: 'away' } }, 'The server does not answer', 'retry'],
  ])('says %s', async (_, change, title, event) => {
    const { events } = await show(change)
    expect(room.querySelector('h2')?.textContent).toBe(title)
    room.querySelector('button')?.click()
    expect(events).toEqual(event ? [event] : [])
  })

  it('waits with a skeleton first, and with the old rows later', async () => {
    const { given } = await show({ rows: [], state: 'loading' })
    expect([all('[data-row]').length, all('.data-table__skeleton').length]).toEqual([0, 8])
    given.rows = rows
    await nextTick()
    expect([all('[data-row]').length, all('.data-table__skeleton').length]).toEqual([3, 0])
    expect(all('[aria-busy=true]').length).toBe(1)
  })

  it('makes cards on a phone, with every column named', async () => {
    wide(390)
    const { selection } = await show()
    expect(all('table').length).toBe(0)
    expect(all('dt').map((term) => term.textContent)).toEqual(['Count', 'Count', 'Count'])
    row(0).focus()
    key('ArrowDown')
    await nextTick()
    key(' ')
    expect([...selection.ids.value]).toEqual(['id1'])
  })
})
