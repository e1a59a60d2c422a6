import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, createApp, defineComponent, h, nextTick, shallowRef } from 'vue'
import { createVuetify } from 'vuetify'
import SearchBox from './SearchBox.vue'

let app: App
let room: HTMLElement
const query = shallowRef('')
const asked: string[] = []

const input = () => room.querySelector('input')!
async function type(text: string) {
  input().value = text
  input().dispatchEvent(new Event('input'))
  await nextTick()
}

beforeEach(async () => {
  vi.useFakeTimers()
  query.value = ''
  asked.length = 0
  app = createApp(defineComponent(() => () => h(SearchBox, { label: 'Search', modelValue: query.value, 'onUpdate:modelValue': (text?: string) => (query.value = text ?? '', asked.push(query.value)) })))
  room = document.body.appendChild(document.createElement('div'))
  app.use(createVuetify()).mount(room)
  await nextTick()
})
afterEach(() => {
  app.unmount()
  room.remove()
  vi.useRealTimers()
})

describe('SearchBox', () => {
  it('asks once when the typing pauses', async () => {
    for (const text of ['h', 'ha', 'hal ', 'hall ']) {
      await type(text)
      vi.advanceTimersByTime(200)
    }
    expect(asked).toEqual([])
    vi.advanceTimersByTime(300)
    expect(asked).toEqual(['hall'])
    expect(input().value).toBe('hall ')
  })

  it('asks at once on Enter, and when it is emptied', async () => {
    await type('five')
    input().dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
    expect(asked).toEqual(['five'])
    await type('')
    vi.advanceTimersByTime(0)
    expect(asked).toEqual(['five', ''])
  })

  it('shows what is set from outside', async () => {
    query.value = 'receiver 5'
    await nextTick()
    await nextTick()
    expect(input().value).toBe('receiver 5')
  })
})
