import { ageOf, type HeardTag, isFresh } from '@/live/table'

export type Presence = 'all' | 'present' | 'silent'

export interface TagFilter {
  query: string
  /** Empty: any. */
  type: string
  /** A zone's id, `outside`, or empty for any. */
  zone: string
  presence: Presence
}

export const outside = 'outside'
export const noFilter: TagFilter = { query: '', type: '', zone: '', presence: 'all' }

/** A line of the list. */
export interface TagRow {
  tag: HeardTag
  fresh: boolean
  ageMs: number
}

export interface Clock {
  now: number
  offsetMs: number
}

/** The tags that pass the filter, in no order. */
export function passing(tags: Iterable<HeardTag>, filter: TagFilter, clock: Clock): TagRow[] {
  const query = fold(filter.query)
  const rows: TagRow[] = []
  for (const tag of tags) {
    if (query !== '' && !fold(tag.name).includes(query)) continue
    if (filter.type !== '' && tag.type !== filter.type) continue
    if (filter.zone !== '' && tag.zone !== (filter.zone === outside ? '' : filter.zone)) continue
    const fresh = isFresh(tag, clock.now, clock.offsetMs)
    if (filter.presence !== 'all' && fresh !== (filter.presence === 'present')) continue
    rows.push({ tag, fresh, ageMs: ageOf(tag, clock.now, clock.offsetMs) })
  }
  return rows
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/**
 * Puts rows into the order of the list: those with news first, each part by name.
 * Names are compared once and remembered, as the list is sorted all the time.
 */
export class RowOrder {
  private places = new Map<string, number>()

  sort(rows: readonly TagRow[]): TagRow[] {
    if (rows.some(({ tag }) => !this.places.has(tag.name))) this.learn(rows)
    const placeOf = ({ tag }: TagRow) => this.places.get(tag.name) ?? 0
    return [...rows].sort((a, b) => Number(b.fresh) - Number(a.fresh) || placeOf(a) - placeOf(b) || (a.tag.id < b.tag.id ? -1 : 1))
  }

  // Names that are no longer there go, so that this does not grow for ever.
  private learn(rows: readonly TagRow[]): void {
    const names = [...new Set(rows.map(({ tag }) => tag.name))].sort(collator.compare)
    this.places = new Map(names.map((name, place) => [name, place]))
  }
}

/** For searching: no case, and ё is е as people type it. */
function fold(text: string): string {
  return text.trim().toLocaleLowerCase().replaceAll('ё', 'е')
}

export function isFiltered(filter: TagFilter): boolean {
  return filter.query !== '' || filter.type !== '' || filter.zone !== '' || filter.presence !== 'all'
}
