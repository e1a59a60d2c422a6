import { describe, expect, it } from 'vitest'
import { useSelection } from './useSelection'

const page = ['a', 'b', 'c', 'd']
const chosen = (selection: ReturnType<typeof useSelection>) => [...selection.ids.value].sort().join('')

describe('useSelection', () => {
  it('toggles rows and pages', () => {
    const selection = useSelection()
    expect(selection.shareOf(page)).toBe('none')
    selection.toggle('b')
    expect(selection.shareOf(page)).toBe('some')
    selection.togglePage(page)
    expect([selection.shareOf(page), selection.count.value]).toEqual(['all', 4])
    selection.togglePage(page)
    expect(chosen(selection)).toBe('')
  })

  it('keeps the rows of other pages', () => {
    const selection = useSelection()
    selection.toggle('z')
    selection.togglePage(page)
    selection.togglePage(page)
    expect(chosen(selection)).toBe('z')
    selection.clear()
    expect(selection.count.value).toBe(0)
  })

  it.each([['a', 'c', 'abc'], ['d', 'b', 'bcd'], ['b', 'b', 'b']])('extends from %s to %s', (from, to, want) => {
    const selection = useSelection()
    selection.toggle(from)
    selection.extend(to, page)
    expect(chosen(selection)).toBe(want)
  })

  it('toggles when there is nothing to extend from', () => {
    const selection = useSelection()
    selection.extend('c', page)
    expect(chosen(selection)).toBe('c')
    selection.toggle('gone')
    selection.extend('a', page)
    expect(chosen(selection)).toBe('acgone')
  })
})
