import type { Bar, ChartOption, Look, Measure } from '../types'
import { baseOption, figure, nameAxis, scaleOf, valueAxis } from './base'

export interface BarsInput {
  bars: readonly Bar[]
  measure: Measure
  /** What the bars are called in the tooltip, and what those of the earlier period are. */
  name: string
  earlierName: string
  /** Names stand at the left: for long names. Else below, for hours and days. */
  lying: boolean
}

const thickestPx = 22
const longestName = { wide: 26, narrow: 14 }

/** Bars; those of the earlier period thinner and hollow beside them. */
export function barsOption(input: BarsInput, look: Look): ChartOption {
  const { bars, measure, lying } = input
  const most = Math.max(0, ...bars.flatMap(({ value, earlier }) => [value, earlier ?? 0]))
  const { divisor, axis } = scaleOf(measure, most, look.locale)
  const names = nameAxis(look, bars.map(({ label }) => shorten(label, lying ? look : undefined)))
  const values = valueAxis(look, axis)
  const hasEarlier = bars.some(({ earlier }) => earlier !== undefined)
  const item = (id: string, value: number) => ({ id, value: value / divisor })
  return {
    ...baseOption(look),
    tooltip: { ...baseOption(look).tooltip, trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: (given: unknown) => tip(input, indexOf(given), look) },
    grid: { left: 4, right: lying ? 24 : 8, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    // A lying list reads from the top.
    ...(lying ? { yAxis: { ...names, inverse: true }, xAxis: values } : { xAxis: names, yAxis: values }),
    series: [
      { type: 'bar', name: input.name, data: bars.map(({ id, value }) => item(id, value)), barMaxWidth: thickestPx, itemStyle: { borderRadius: lying ? [0, 4, 4, 0] : [4, 4, 0, 0] } },
      ...(hasEarlier ? [earlierSeries(input, look, item)] : []),
    ],
  }
}

function earlierSeries({ bars, earlierName }: BarsInput, { palette }: Look, item: (id: string, value: number) => object) {
  return {
    type: 'bar' as const, name: earlierName, data: bars.map(({ id, earlier }) => item(id, earlier ?? 0)) as never, barMaxWidth: thickestPx / 2, barGap: '15%',
    itemStyle: { color: 'transparent', borderColor: palette.earlier, borderWidth: 1.5, borderType: 'dashed' as const },
  }
}

/** How high the picture of so many lying bars is, pixels. */
export function lyingHeightPx(bars: number): number {
  return 40 + Math.max(2, bars) * 30
}

function tip({ bars, measure, name, earlierName }: BarsInput, index: number, { locale }: Look): string {
  const bar = bars[index]
  if (!bar) return ''
  const lines = [bar.label, `${name}: ${figure(bar.value, measure, locale)}`]
  if (bar.earlier !== undefined) lines.push(`${earlierName}: ${figure(bar.earlier, measure, locale)}`)
  return lines.join('\n')
}

/** Which bar or point a tooltip is about. */
export function indexOf(given: unknown): number {
  const first = (Array.isArray(given) ? given[0] : given) as { dataIndex?: number } | undefined
  return first?.dataIndex ?? -1
}

function shorten(label: string, look: Look | undefined): string {
  if (!look) return label
  const most = look.narrow ? longestName.narrow : longestName.wide
  return label.length > most ? `${label.slice(0, most - 1)}…` : label
}
