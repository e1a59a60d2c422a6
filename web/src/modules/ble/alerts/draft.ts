import type { Kind, NewRule, Rule } from './api'
import { isZonal } from './api'

/** A rule as the form holds it: every input has a value, whether its kind asks for it or not. */
export interface Draft {
  name: string
  kind: Kind
  location: string
  zones: string[]
  tags: string[]
  types: string[]
  receivers: string[]
  minutes: number
  limit: number
  percent: number
  scheduled: boolean
  days: number[]
  from: string
  to: string
  zone: string
  console: boolean
  emails: string[]
  webhooks: string[]
}

export function draftOf(rule?: Rule): Draft {
  const c = rule?.condition
  const s = rule?.schedule
  return {
    name: rule?.name ?? '', kind: c?.kind ?? 'enter', location: c?.location ?? '', zones: [...(c?.zones ?? [])], tags: [...(c?.tags ?? [])],
    types: [...(c?.types ?? [])], receivers: [...(c?.receivers ?? [])], minutes: c?.after_s ? c.after_s / 60 : 10, limit: c?.limit ?? 0,
    percent: c?.below_percent || 20, scheduled: !!s, days: [...(s?.days ?? [])], from: s?.from ?? '08:00', to: s?.to ?? '18:00', zone: s?.time_zone ?? '',
    console: rule?.notify.console ?? true, emails: [...(rule?.notify.emails ?? [])], webhooks: [...(rule?.notify.webhooks ?? [])],
  }
}

/** Kinds for which it counts how long something goes on. */
export const lasts = (kind: Kind) => kind === 'stay' || kind === 'tag_lost' || kind === 'receiver_silent'

/** What is sent of a draft: only what the kind asks for. */
export function sent(draft: Draft): NewRule {
  const { kind } = draft
  return {
    name: draft.name.trim(),
    condition: {
      kind, location: draft.location,
      ...(isZonal(kind) ? { zones: draft.zones } : {}),
      ...(kind === 'receiver_silent' ? { receivers: draft.receivers } : { tags: draft.tags, types: draft.types as NonNullable<NewRule['condition']['types']> }),
      ...(lasts(kind) ? { after_s: Math.round(draft.minutes * 60) } : {}),
      ...(kind === 'capacity' ? { limit: Number(draft.limit) || 0 } : {}),
      ...(kind === 'battery_low' ? { below_percent: Number(draft.percent) } : {}),
    },
    ...(draft.scheduled ? { schedule: { days: draft.days, from: draft.from, to: draft.to, ...(draft.zone ? { time_zone: draft.zone } : {}) } } : {}),
    notify: { console: draft.console, emails: draft.emails, webhooks: draft.webhooks },
  }
}
