import type { AreaSeries, ChartOption, Look, Measure } from '../types'
import { baseOption, figure, nameAxis, scaleOf, valueAxis } from './base'
import { indexOf } from './bars'

export interface AreaInput {
  labels: readonly string[]
  series: readonly AreaSeries[]
  measure: Measure
}

// A second sign beside the colour.
const dashes = ['solid', 'dashed', 'dotted', [8, 3, 2, 3], [12, 4], [3, 6]] as const

/** Curves over time, with a filling when there is only one. */
export function areaOption(input: AreaInput, look: Look): ChartOption {
  const { labels, series, measure } = input
  const most = Math.max(0, ...series.map(({ values }) => values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0)))
  const { divisor, axis } = scaleOf(measure, most, look.locale)
  const isMany = series.length > 1
  return {
    ...baseOption(look),
    tooltip: { ...baseOption(look).tooltip, trigger: 'axis', formatter: (given: unknown) => tip(input, indexOf(given), look) },
    legend: { show: isMany, bottom: 0, left: 0, type: 'scroll', icon: 'roundRect', itemHeight: 4, itemWidth: 18, textStyle: { color: look.palette.ink }, pageTextStyle: { color: look.palette.soft } },
    grid: { left: 4, right: 16, top: 12, bottom: isMany ? 34 : 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { ...nameAxis(look, labels), boundaryGap: false },
    yAxis: valueAxis(look, axis),
    series: series.map(({ id, name, values }, place) => ({
      type: 'line', id, name, data: values.map((value) => (value === null ? null : { id, value: value / divisor })) as never,
      showSymbol: labels.length === 1, sampling: 'max', step: false, connectNulls: false, triggerEvent: true,
      lineStyle: { width: 2, type: (dashes[place % dashes.length] ?? 'solid') as never },
      ...(isMany ? {} : { areaStyle: { opacity: 0.12 } }),
    })),
  }
}

function tip({ labels, series, measure }: AreaInput, index: number, { locale }: Look): string {
  if (labels[index] === undefined) return ''
  return [labels[index], ...series.map(({ name, values }) => `${name}: ${figure(values[index], measure, locale)}`)].join('\n')
}
