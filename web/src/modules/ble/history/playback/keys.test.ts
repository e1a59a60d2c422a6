import { describe, expect, it } from 'vitest'
import { keyOf } from './keys'

function press(key: string, html = '<div></div>', modifiers: Partial<KeyboardEvent> = {}) {
  const room = document.createElement('div')
  room.innerHTML = html
  const target = room.querySelector('[data-target]') ?? room
  return keyOf({ key, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, target, ...modifiers } as KeyboardEvent)
}

describe('a key', () => {
  it.each([[' ', 'toggle'], ['Home', 'start'], ['End', 'end'], ['Escape', 'leave'], ['ArrowLeft', { direction: -1, isLarge: false }], ['a', undefined]])('%j means %j', (key, want) => {
    expect(press(key)).toEqual(want)
  })

  it('goes further with Shift', () => expect(press('ArrowRight', '', { shiftKey: true })).toEqual({ direction: 1, isLarge: true }))

  it.each(['altKey', 'ctrlKey', 'metaKey'])('with %s is the browser’s', (modifier) => expect(press('ArrowLeft', '', { [modifier]: true })).toBeUndefined())

  it.each(['<input data-target>', '<textarea data-target></textarea>', '<div role="combobox"><i data-target></i></div>'])('in %s is written', (html) => {
    for (const key of [' ', 'ArrowLeft', 'Home']) expect(press(key, html)).toBeUndefined()
  })

  it('on a button presses it, but still steps', () => {
    expect(press(' ', '<button data-target></button>')).toBeUndefined()
    expect(press('ArrowLeft', '<button data-target></button>')).toEqual({ direction: -1, isLarge: false })
  })

  it('on the slider is the player’s', () => {
    expect(press(' ', '<input type="range" data-target>')).toBe('toggle')
    expect(press('End', '<input type="range" data-target>')).toBe('end')
  })

  it('on the map moves the map, but plays', () => {
    expect(press('ArrowLeft', '<div class="plan-map" data-target></div>')).toBeUndefined()
    expect(press(' ', '<div class="plan-map" data-target></div>')).toBe('toggle')
  })
})
