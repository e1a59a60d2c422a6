import { type Ref, shallowRef } from 'vue'

export interface UseRowKeysOptions {
  /** How many rows there are. */
  count: () => number
  /** The element that has the rows as `[data-row]`. */
  room: Readonly<Ref<HTMLElement | undefined | null>>
  open: (index: number) => void
  toggle: (index: number, extend: boolean) => void
}

export interface UseRowKeysReturn {
  /** The one row that Tab reaches. */
  active: Ref<number>
  onKeydown: (event: KeyboardEvent) => void
}

/** Arrows, Home and End walk the rows, Enter opens one, the space bar selects it. */
export function useRowKeys(options: UseRowKeysOptions): UseRowKeysReturn {
  const active = shallowRef(0)
  const rows = () => [...(options.room.value?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]

  function walk(to: number) {
    active.value = Math.max(0, Math.min(to, options.count() - 1))
    rows()[active.value]?.focus()
  }

  function onKeydown(event: KeyboardEvent) {
    const index = rows().indexOf(event.target as HTMLElement)
    // Keys inside a row belong to the button or field that has the focus.
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return
    const acts: Record<string, () => void> = {
      ArrowDown: () => walk(index + 1),
      ArrowUp: () => walk(index - 1),
      Home: () => walk(0),
      End: () => walk(options.count() - 1),
      Enter: () => options.open(index),
      ' ': () => options.toggle(index, event.shiftKey),
    }
    const act = acts[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }

  return { active, onKeydown }
}
