import { useI18n } from 'vue-i18n'
import type { Person } from '@/api/types'

export interface PersonStatus {
  key: 'disabled' | 'invited' | 'readOnly' | 'active'
  tone: 'good' | 'warn' | 'bad' | 'quiet'
}

/** The one state of a person that matters most. */
export function statusOf({ disabled, invited, read_only: readOnly }: Pick<Person, 'disabled' | 'invited' | 'read_only'>): PersonStatus {
  if (disabled) return { key: 'disabled', tone: 'bad' }
  if (invited) return { key: 'invited', tone: 'warn' }
  return readOnly ? { key: 'readOnly', tone: 'quiet' } : { key: 'active', tone: 'good' }
}

/** Owners, admins and managers have all locations unless limited; operators and viewers none. */
export function everywhereByRole(role: string): boolean {
  return ['owner', 'admin', 'manager'].includes(role)
}

/** What of an object is not as it was before. */
export function differing<T extends object>(before: T, now: T): Partial<T> {
  const changed = (Object.keys(now) as (keyof T)[]).filter((key) => JSON.stringify(now[key]) !== JSON.stringify(before[key]))
  return Object.fromEntries(changed.map((key) => [key, now[key]])) as Partial<T>
}

// More names than this would fill the row.
const namesShown = 2

export function useLocationsText() {
  const { t } = useI18n()

  /** "All", "None" or the names of what somebody may see. */
  function locationsText({ limited, role, locations }: Pick<Person, 'limited' | 'locations'> & { role?: string }): string {
    if (!limited && everywhereByRole(role ?? 'owner')) return t('people.locations.all')
    if (locations.length === 0) return t('people.locations.none')
    const names = locations.slice(0, namesShown).map(({ name, write }) => (write ? name : t('people.locations.look', { name })))
    const more = locations.length - names.length
    return more > 0 ? t('people.locations.more', { names: names.join(', '), n: more }) : names.join(', ')
  }

  return { locationsText }
}
