import { computed, type ComputedRef } from 'vue'
import { day, type FilterKind, oneOf, useFilters, type UseFiltersReturn } from '@/kit/data/useFilters'
import { type Comparison, comparisons, type Days, daysOf, type Preset, presets, type Question } from '../question'

export const tabs = ['overview', 'tags', 'presence', 'routes', 'map', 'visits'] as const
export type Tab = (typeof tabs)[number]

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** An address holds only so many. */
export const mostChosen = 40
const id: FilterKind = (text) => (uuid.test(text) ? text : '')
const ids: FilterKind = (text) => text.split(',').filter((one) => uuid.test(one)).slice(0, mostChosen).join(',')

const kinds = {
  plan: id, zone: ids, tag: ids, type: oneOf('person', 'asset', 'vehicle'), range: oneOf(...presets), from: day, to: day, compare: oneOf(...comparisons), tab: oneOf(...tabs),
}
export type AnalyticsFilter = keyof typeof kinds

export interface UseQuestionReturn {
  question: ComputedRef<Question>
  compare: ComputedRef<Comparison>
  /** Empty: days of one's own. */
  preset: ComputedRef<Preset | ''>
  tab: ComputedRef<Tab>
  filters: UseFiltersReturn<AnalyticsFilter>
  setDays: (days: Days | Preset) => void
  /** Shows the visits behind a figure. */
  showVisits: (only?: { zone?: string; tag?: string; days?: Days }) => void
}

/** What is asked, as the address says it; without a word, the last seven days. */
export function useQuestion(location: string, zone: string, now: number): UseQuestionReturn {
  const filters = useFilters<AnalyticsFilter>(kinds)
  const { values, set } = filters
  const list = (text: string) => (text === '' ? [] : text.split(','))

  const own = computed<Days | undefined>(() => {
    const { from, to } = values.value
    return from !== '' && to !== '' && from <= to ? { from, to } : undefined
  })
  const preset = computed<Preset | ''>(() => (own.value ? '' : ((values.value.range || 'days7') as Preset)))
  const question = computed<Question>(() => ({
    location, plan: values.value.plan, zones: list(values.value.zone), tags: list(values.value.tag), type: values.value.type,
    days: own.value ?? daysOf(preset.value || 'days7', now, zone),
  }))

  function setDays(days: Days | Preset) {
    if (typeof days === 'string') set({ range: days, from: '', to: '' })
    else set({ range: '', ...days })
  }

  function showVisits({ zone: only, tag, days }: { zone?: string; tag?: string; days?: Days } = {}) {
    set({ tab: 'visits', ...(only && { zone: only }), ...(tag && { tag }), ...(days && { range: '', ...days }) })
  }

  return {
    question, preset, filters, setDays, showVisits,
    compare: computed(() => values.value.compare as Comparison), tab: computed(() => (values.value.tab || 'overview') as Tab),
  }
}
