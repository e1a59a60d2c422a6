import { computed, type ComputedRef } from 'vue'
import { type FilterKind, oneOf, useFilters } from '@/kit/data/useFilters'
import { type Speed, speeds } from '../playback/playhead'
import { momentIn, type Range, rangeOf } from '../playback/range'

export const trailMinutes = [0, 1, 5, 15, 60] as const
export const panels = ['tags', 'events', 'day'] as const
export type Panel = (typeof panels)[number]

/** What the room shows; all of it is in the address, so that a link shows what its sender saw. */
export interface HistoryState {
  range: Range
  at: number
  speed: Speed
  trailMin: number
  /** Only these tags; empty: all. */
  tags: readonly string[]
  type: string
  heat: boolean
  /** The chosen tag, empty for none. */
  tag: string
  panel: Panel
}

export interface UseHistoryAddressReturn {
  state: ComputedRef<HistoryState>
  set: (change: Partial<HistoryState>) => void
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
// An address holds only so much; more are chosen by their type.
export const mostTags = 40

const moment: FilterKind = (text) => (Number.isNaN(Date.parse(text)) ? '' : new Date(text).toISOString())
const id: FilterKind = (text) => (uuid.test(text) ? text : '')
const ids: FilterKind = (text) => text.split(',').filter((one) => uuid.test(one)).slice(0, mostTags).join(',')

const kinds = {
  from: moment, to: moment, at: moment, tags: ids, tag: id,
  speed: oneOf(...speeds.map(String)), trail: oneOf(...trailMinutes.map(String)), type: oneOf('person', 'asset', 'vehicle'), heat: oneOf('on'), panel: oneOf(...panels),
}
type Key = keyof typeof kinds

const usualSpeed = 10
const usualTrailMin = 1
const iso = (at: number) => new Date(at).toISOString()

/** Reads and writes the address; `openedAt` is the now of an address without a range. */
export function useHistoryAddress(openedAt: number): UseHistoryAddressReturn {
  const { values, set } = useFilters<Key>(kinds)

  const state = computed<HistoryState>(() => {
    const { from, to, at, speed, trail, tags, tag, type, heat, panel } = values.value
    const range = rangeOf(from, to, openedAt)
    return {
      range, at: momentIn(range, at), speed: (Number(speed) || usualSpeed) as Speed, trailMin: trail === '' ? usualTrailMin : Number(trail),
      tags: tags === '' ? [] : tags.split(','), tag, type, heat: heat === 'on', panel: (panel || 'tags') as Panel,
    }
  })

  function change({ range, at, speed, trailMin, tags, tag, type, heat, panel }: Partial<HistoryState>) {
    set({
      ...(range && { from: iso(range.from), to: iso(range.to), at: '' }),
      ...(at !== undefined && { at: iso(at) }),
      ...(speed !== undefined && { speed: speed === usualSpeed ? '' : String(speed) }),
      ...(trailMin !== undefined && { trail: trailMin === usualTrailMin ? '' : String(trailMin) }),
      ...(tags && { tags: tags.join(',') }),
      ...(tag !== undefined && { tag }),
      ...(type !== undefined && { type }),
      ...(heat !== undefined && { heat: heat ? 'on' : '' }),
      ...(panel && { panel: panel === 'tags' ? '' : panel }),
    })
  }
  return { state, set: change }
}
