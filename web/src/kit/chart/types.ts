import type { BarSeriesOption, LineSeriesOption, SankeySeriesOption } from 'echarts/charts'
import type { AriaComponentOption, GridComponentOption, LegendComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import type { Palette } from './palette'

/** What a chart draws, in the words of its engine; only the builders in options/ write it. */
export type ChartOption = ComposeOption<
  BarSeriesOption | LineSeriesOption | SankeySeriesOption | AriaComponentOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>

/** How a chart is to look: colours, language, and whether there is little room. */
export interface Look {
  palette: Palette
  locale: string
  narrow: boolean
}

/** What the figures of a chart are. */
export type Measure = 'count' | 'duration'

/** The rows behind a chart; the first cell names its row. */
export interface ChartTable {
  columns: readonly string[]
  rows: readonly { id: string; cells: readonly string[] }[]
}

/** A press on a part of a chart: the id of its bar, point or node. */
export interface Pick {
  id: string
}

export interface Bar {
  id: string
  label: string
  /** Count, or seconds. */
  value: number
  /** The same in the period that is compared with. */
  earlier?: number
}

export interface AreaSeries {
  id: string
  name: string
  /** One per label; null where nothing is known. */
  values: readonly (number | null)[]
}

/** A stream between two places; a route from step to step, so that it never returns to where it was. */
export interface Flow {
  from: string
  to: string
  /** Which step of the route begins at `from`, from 0. */
  step: number
  count: number
}

export type ChartState = 'loading' | 'ready' | 'failed'
