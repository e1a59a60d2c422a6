/** What a key means to the player. */
export type PlayerKey = 'toggle' | 'start' | 'end' | 'leave' | { direction: -1 | 1; isLarge: boolean }

type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey' | 'target'>

// Where keys write or choose something themselves.
const writes = 'input:not([type=range]), textarea, select, [contenteditable], [role=combobox], [role=listbox], .v-overlay'
const presses = 'button, a, input, [role=button], [role=tab]'

/** Space plays, arrows step (with Shift further), Home and End go to the ends, Escape lets the tag go. */
export function keyOf({ key, shiftKey, altKey, ctrlKey, metaKey, target }: Press): PlayerKey | undefined {
  const place = target instanceof Element ? target : undefined
  if (altKey || ctrlKey || metaKey || place?.closest(writes)) return undefined
  if (key === ' ') return place?.closest(presses) && !place.closest('input[type=range]') ? undefined : 'toggle'
  if (key === 'Escape') return 'leave'
  // The map moves by arrows, a list by Home and End.
  if (place?.closest('.plan-map, [role=tablist]')) return undefined
  if (key === 'Home') return 'start'
  if (key === 'End') return 'end'
  if (key === 'ArrowLeft' || key === 'ArrowRight') return { direction: key === 'ArrowLeft' ? -1 : 1, isLarge: shiftKey }
  return undefined
}
