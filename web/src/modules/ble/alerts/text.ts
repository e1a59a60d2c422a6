import { useI18n } from 'vue-i18n'
import { useFormats } from '@/composables/useFormats'
import type { Alert, NewRule, Rule } from './api'

/** What a sentence about a rule needs, of a stored one or one that is being written. */
export type Told = Pick<NewRule, 'condition' | 'notify'> & { schedule?: Rule['schedule'] | undefined }

export interface UseAlertTextReturn {
  alertText: (alert: Alert) => string
  /** "When Forklift 7 enters Cold store on weekdays 22:00–06:00, tell 2 people." */
  ruleText: (rule: Told, nameOf: (id: string) => string | undefined, hookName: (id: string) => string | undefined) => string
  spanText: (seconds: number) => string
}

const shown = 3

export function useAlertText(): UseAlertTextReturn {
  const { t } = useI18n()
  const { shortTime } = useFormats()

  function spanText(seconds: number): string {
    const units = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]] as const
    const parts: string[] = []
    let left = seconds
    for (const [unit, size] of units) {
      if (left >= size) parts.push(t(`bleAlerts.unit.${unit}`, { n: Math.floor(left / size) }))
      left %= size
    }
    return parts.join(' ')
  }

  function alertText(alert: Alert): string {
    return t(`bleAlerts.told.${alert.kind}`, {
      tag: alert.tag_name, zone: alert.zone_name, receiver: alert.receiver_name, span: spanText(alert.bound),
      value: alert.value, bound: alert.bound, since: shortTime(alert.began_at),
    })
  }

  /** The first few names, and how many more. */
  function listed(names: readonly string[], none: string): string {
    if (names.length === 0) return none
    const first = names.slice(0, shown).join(', ')
    return names.length > shown ? t('bleAlerts.sentence.more', { names: first, n: names.length - shown }) : first
  }

  function when(schedule: Told['schedule']): string {
    if (!schedule) return ''
    const days = schedule.days ?? []
    const named = days.length === 0 || days.length === 7 ? t('bleAlerts.day.all') : [...days].sort().map((day) => t(`bleAlerts.day.short${day}`)).join(', ')
    const hours = schedule.from === schedule.to ? '' : ` ${schedule.from}–${schedule.to}`
    return ` (${named}${hours})`
  }

  function whom({ console: inConsole, emails = [], webhooks = [] }: Told['notify'], hookName: (id: string) => string | undefined): string {
    const gone = t('bleAlerts.sentence.gone')
    const all = [...(inConsole ? [t('bleAlerts.sentence.console')] : []), ...emails, ...webhooks.map((id) => hookName(id) ?? gone)]
    return listed(all, t('bleAlerts.sentence.nobody'))
  }

  const ruleText: UseAlertTextReturn['ruleText'] = ({ condition: c, schedule, notify }, nameOf, hookName) => {
    const gone = t('bleAlerts.sentence.gone')
    const names = (ids: readonly string[] | undefined) => (ids ?? []).map((id) => nameOf(id) ?? gone)
    const tags = [...names(c.tags), ...(c.types ?? []).map((type) => t(`bleAlerts.type.${type}`))]
    const said = t(`bleAlerts.sentence.${c.kind}`, {
      tag: listed(tags, t('bleAlerts.sentence.anyTag')), zone: listed(names(c.zones), t('bleAlerts.sentence.anyZone')),
      receiver: listed(names(c.receivers), t('bleAlerts.sentence.anyReceiver')), span: spanText(c.after_s ?? 0),
      limit: c.limit ? t('bleAlerts.sentence.tags', { n: c.limit }) : t('bleAlerts.sentence.ownCapacity'), percent: c.below_percent ?? 0,
    })
    return t('bleAlerts.sentence.whole', { when: said + when(schedule), whom: whom(notify, hookName) })
  }

  return { alertText, ruleText, spanText }
}
