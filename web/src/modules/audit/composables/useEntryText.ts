import { useI18n } from 'vue-i18n'
import type { Change } from '@/kit/data/diff'
import type { Entry } from '../types'

export interface UseEntryTextReturn {
  /** What kind of thing it was done to; empty when its name says so itself. */
  kindOf: (entry: Entry) => string
  nameOf: (entry: Entry) => string
  changesOf: (entry: Entry) => Change[]
}

/** Entries are written down in the server's words; these are the page's. */
export function useEntryText(): UseEntryTextReturn {
  const { t, te } = useI18n()
  const numberOf = ({ object: { kind, name } }: Entry) => (kind === 'device' ? /^Receiver #(\d+)$/.exec(name)?.[1] : undefined)

  function nameOf(entry: Entry): string {
    const n = numberOf(entry)
    return n === undefined ? entry.object.name : t('audit.receiver', { n })
  }

  function kindOf(entry: Entry): string {
    const { kind } = entry.object
    if (kind === '' || numberOf(entry) !== undefined) return ''
    return te(`audit.kind.${kind}`) ? t(`audit.kind.${kind}`) : kind
  }

  const changesOf = ({ fields }: Entry): Change[] =>
    fields.map(({ name, ...values }) => ({ ...values, name: te(`audit.field.${name}`) ? t(`audit.field.${name}`) : name }))
  return { kindOf, nameOf, changesOf }
}
