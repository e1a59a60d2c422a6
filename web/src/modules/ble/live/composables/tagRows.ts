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

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** The tags that pass the filter: those with news first, each part by name. */
export function tagRows(tags: Iterable<HeardTag>, filter: TagFilter, clock: Clock): TagRow[] {
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
  return rows.sort((a, b) => Number(b.fresh) - Number(a.fresh) || collator.compare(a.tag.name, b.tag.name) || (a.tag.id < b.tag.id ? -1 : 1))
}

/** For searching: no case, and ё is е as people type it. */
function fold(text: string): string {
  return text.trim().toLocaleLowerCase().replaceAll('ё', 'е')
}

export function isFiltered(filter: TagFilter): boolean {
  return filter.query !== '' || filter.type !== '' || filter.zone !== '' || filter.presence !== 'all'
}
