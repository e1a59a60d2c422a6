import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Language, languages } from '@/kit/languages'
import type { Messages } from '@/kit/module'
import { createConsoleI18n, russianForm, useLanguage } from './i18n'

const src = join(import.meta.dirname, '..')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })

/** Every text of a language by its path. */
function texts(language: Language): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (node: Messages, path: string) => {
    for (const [key, value] of Object.entries(node)) {
      const at = path ? `${path}.${key}` : key
      if (typeof value === 'string') found.set(at, value)
      else walk(value, at)
    }
  }
  for (const file of files.filter((name) => name.endsWith(`locales/${language}.json`))) {
    walk(JSON.parse(readFileSync(join(src, file), 'utf8')) as Messages, '')
  }
  return found
}

/** Keys in the source: whole ones, and beginnings of those put together at run time. */
function usedKeys(): { whole: Set<string>; beginnings: Set<string> } {
  const whole = new Set<string>()
  const beginnings = new Set<string>()
  const roots = [...new Set([...english.keys()].map((key) => key.split('.')[0]))].join('|')
  const quoted = new RegExp(`['\`]((?:${roots})\\.[\\w.]*)(['\`]|\\$\\{)`, 'g')
  for (const file of files.filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts'))) {
    for (const [, key = '', end] of readFileSync(join(src, file), 'utf8').matchAll(quoted)) {
      if (end === '${') beginnings.add(key)
      else whole.add(key)
    }
  }
  return { whole, beginnings }
}

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()
const english = texts('en')
const used = usedKeys()

describe('locale files', () => {
  it('are found', () => {
    expect(english.size).toBeGreaterThan(60)
    expect(used.whole.size).toBeGreaterThan(60)
  })

  it.each(languages)('%s has every key, none empty, with the same placeholders', (language) => {
    const own = texts(language)
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort())
    for (const [key, text] of own) {
      expect(text.trim(), key).not.toBe('')
      expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ''))
    }
  })

  it('have every key that is used', () => {
    expect([...used.whole].filter((key) => !english.has(key))).toEqual([])
    expect([...used.beginnings].filter((start) => ![...english.keys()].some((key) => key.startsWith(start)))).toEqual([])
  })

  it('have no key that is not used', () => {
    const isUsed = (key: string) => used.whole.has(key) || [...used.beginnings].some((start) => key.startsWith(start))
    expect([...english.keys()].filter((key) => !isUsed(key))).toEqual([])
  })

  it('have Russian in Russian', () => {
    const latinOnly = [...texts('ru')].filter(([, text]) => !/[а-яё]/i.test(text))
    expect(latinOnly.map(([key]) => key).filter((key) => !['ble.tag.accuracyValue'].includes(key))).toEqual([])
  })
})

describe('useLanguage', () => {
  it('switches texts and counts', async () => {
    const i18n = createConsoleI18n()
    await useLanguage(i18n, 'ru')
    const { t } = i18n.global
    expect([1, 2, 5, 11, 21, 0].map((n) => t('ble.list.count', n))).toEqual(['1 метка', '2 метки', '5 меток', '11 меток', '21 метка', '0 меток'])
    expect(document.documentElement.lang).toBe('ru')
    await useLanguage(i18n, 'en')
    expect([0, 1, 2].map((n) => t('ble.list.count', n))).toEqual(['0 tags', '1 tag', '2 tags'])
    expect(t('$vuetify.close')).toBe('Close')
  })
})

describe('russianForm', () => {
  it.each([[1, 0], [3, 1], [7, 2], [12, 2], [22, 1], [111, 2], [101, 0]])('%i takes form %i', (count, form) => {
    expect(russianForm(count, 3)).toBe(form)
  })
})
