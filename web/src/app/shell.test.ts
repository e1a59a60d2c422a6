import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { browserLanguage, usePreferences } from './preferences'
import { pathAfterLogin } from './router'

describe('pathAfterLogin', () => {
  it.each([
    ['/map/1/2?tag=3', '/map/1/2?tag=3'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    [['/a', '/b'], '/'],
    [undefined, '/'],
  ])('%o leads to %s', (next, want) => {
    expect(pathAfterLogin(next)).toBe(want)
  })
})

describe('browserLanguage', () => {
  it.each([
    [['ru-RU', 'en'], 'ru'],
    [['fr', 'en-GB'], 'en'],
    [['zh'], 'en'],
    [[], 'en'],
  ])('%o: %s', (wanted, want) => {
    expect(browserLanguage(wanted)).toBe(want)
  })
})

describe('usePreferences', () => {
  beforeEach(() => {
    localStorage.clear()
    setActivePinia(createPinia())
  })

  it('remembers choices and ignores nonsense', async () => {
    localStorage.setItem('mybeacon.theme', 'pink')
    expect(usePreferences().theme).toBe('system')
    usePreferences().theme = 'dark'
    await nextTick()
    setActivePinia(createPinia())
    expect(usePreferences().theme).toBe('dark')
  })

  it('works where storage is forbidden', () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    expect(usePreferences().theme).toBe('system')
  })
})
