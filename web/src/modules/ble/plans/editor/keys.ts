/** What the person works with. `zone` and `receiver` are parts of the plan, the others its drawing. */
export const tools = ['select', 'wall', 'room', 'door', 'label', 'no_go', 'zone', 'receiver', 'scale', 'picture'] as const
export type Tool = (typeof tools)[number]

/** The key of each tool, as the toolbar shows it. By letters of the keyboard's place, so any layout works. */
export const toolKeys: Readonly<Record<Tool, string>> = {
  select: 'V', wall: 'W', room: 'R', door: 'D', label: 'T', no_go: 'N', zone: 'Z', receiver: 'B', scale: 'M', picture: 'P',
}

export type Command =
  | { kind: 'tool'; tool: Tool }
  | { kind: 'undo' | 'redo' | 'delete' | 'cancel' | 'finish' | 'place' | 'fit' | 'save' | 'all' }
  | { kind: 'move'; dx: number; dy: number; far: boolean }
  | { kind: 'zoom'; steps: number }

type Key = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

const arrows: Readonly<Record<string, [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }
const plain: Readonly<Record<string, Command['kind'] & ('delete' | 'cancel' | 'finish' | 'place')>> = {
  Delete: 'delete', Backspace: 'delete', Escape: 'cancel', Enter: 'finish', ' ': 'place',
}

/** What a key means in the editor; undefined: it is not the editor's. */
export function commandOf(key: Key): Command | undefined {
  const letter = /^Key([A-Z])$/.exec(key.code)?.[1] ?? ''
  if (key.ctrlKey || key.metaKey) return key.altKey ? undefined : withControl(letter, key.shiftKey)
  const arrow = arrows[key.key]
  if (arrow) return { kind: 'move', dx: arrow[0], dy: arrow[1], far: key.shiftKey }
  const kind = plain[key.key]
  if (kind) return { kind }
  if (key.altKey) return undefined
  if (key.key === '+' || key.key === '=') return { kind: 'zoom', steps: 1 }
  if (key.key === '-') return { kind: 'zoom', steps: -1 }
  if (key.key === '0') return { kind: 'fit' }
  const tool = tools.find((one) => toolKeys[one] === letter)
  return tool && !key.shiftKey ? { kind: 'tool', tool } : undefined
}

function withControl(letter: string, shift: boolean): Command | undefined {
  if (letter === 'Z') return { kind: shift ? 'redo' : 'undo' }
  if (letter === 'Y') return { kind: 'redo' }
  if (letter === 'S') return { kind: 'save' }
  return letter === 'A' ? { kind: 'all' } : undefined
}
