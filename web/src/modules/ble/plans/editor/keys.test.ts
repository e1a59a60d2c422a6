import { describe, expect, it } from 'vitest'
import { commandOf, toolKeys, tools } from './keys'

const key = (change: Partial<KeyboardEvent>) => commandOf({ key: '', code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...change })

describe('commandOf', () => {
  it('knows each tool by a key of its own, in every layout', () => {
    expect(new Set(Object.values(toolKeys)).size).toBe(tools.length)
    expect(key({ key: 'ц', code: 'KeyW' })).toEqual({ kind: 'tool', tool: 'wall' })
  })

  it.each([
    [{ code: 'KeyZ', ctrlKey: true }, 'undo'], [{ code: 'KeyZ', ctrlKey: true, shiftKey: true }, 'redo'], [{ code: 'KeyZ', metaKey: true }, 'undo'],
    [{ code: 'KeyY', ctrlKey: true }, 'redo'], [{ code: 'KeyS', ctrlKey: true }, 'save'], [{ key: 'Escape' }, 'cancel'], [{ key: 'Backspace' }, 'delete'],
    [{ key: ' ' }, 'place'], [{ key: 'Enter' }, 'finish'], [{ key: '0' }, 'fit'],
  ] as const)('%o: %s', (pressed, kind) => {
    expect(key(pressed)?.kind).toBe(kind)
  })

  it('moves up with the arrow up', () => {
    expect(key({ key: 'ArrowUp', shiftKey: true })).toEqual({ kind: 'move', dx: 0, dy: 1, far: true })
  })

  it.each([{ code: 'KeyC', ctrlKey: true }, { code: 'KeyZ', ctrlKey: true, altKey: true }, { code: 'KeyW', altKey: true }, { key: 'F5' }, { code: 'KeyQ', key: 'q' }])('leaves %o to the browser', (pressed) => {
    expect(key(pressed)).toBeUndefined()
  })
})
