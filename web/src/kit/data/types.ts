/** One answer of a list: its rows, and the cursor of the next page, empty at the end. */
export interface Page<Row> {
  items: Row[]
  next: string
}

export interface PageRequest {
  limit: number
  cursor?: string
}

/** A column of a table; what has no `text` is drawn by the slot `cell-<key>`. */
export interface Column<Row> {
  key: string
  /** Already translated. */
  title: string
  text?: (row: Row) => string
  /** Aligned to the end, with figures of one width. */
  numeric?: boolean
  /** The server sorts by it. */
  sortable?: boolean
  /** Any CSS width. */
  width?: string
  /** The narrowest table that shows it; cards show everything. */
  from?: 'md' | 'lg'
}

export interface Sort {
  key: string
  descending: boolean
}

export type ListState = 'loading' | 'ready' | 'failed'

/** What the table says when there is no row. */
export interface EmptyText {
  icon: string
  title: string
  text: string
}

/** A filter that is set, in words. */
export interface FilterChip {
  key: string
  label: string
  value: string
}
