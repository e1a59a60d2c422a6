import { axisText, axisUnit, durationText } from '../duration'
import type { ChartOption, Look, Measure } from '../types'

export const font = "'Inter Variable', system-ui, sans-serif"

/** What every chart has: font, colours, and a tooltip that is drawn instead of made of HTML, so that no name can be markup. */
export function baseOption({ palette }: Look): ChartOption {
  return {
    textStyle: { fontFamily: font, color: palette.ink, fontSize: 12 },
    color: [...palette.series],
    tooltip: {
      renderMode: 'richText', confine: true, backgroundColor: palette.surface, borderColor: palette.line, borderWidth: 1, padding: [8, 12],
      textStyle: { color: palette.ink, fontSize: 12, fontFamily: font, lineHeight: 18 },
    },
  }
}

/** Seconds are drawn in the unit in which the axis has round figures. */
export function scaleOf(measure: Measure, most: number, locale: string): { divisor: number; axis: (value: number) => string } {
  if (measure === 'count') return { divisor: 1, axis: (value) => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value) }
  const { unit, seconds } = axisUnit(most)
  return { divisor: seconds, axis: (value) => axisText(value, unit, locale) }
}

/** A figure in full: what the tooltip and the table say. */
export function figure(value: number | null | undefined, measure: Measure, locale: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '—'
  return measure === 'duration' ? durationText(value, locale) : new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)
}

/** The look of an axis with figures. */
export function valueAxis({ palette }: Look, label: (value: number) => string) {
  return {
    type: 'value' as const, min: 0, splitNumber: 4,
    axisLabel: { color: palette.soft, formatter: label, hideOverlap: true },
    axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: palette.line } },
  }
}

/** The look of an axis with names. */
export function nameAxis({ palette }: Look, names: readonly string[]) {
  return {
    type: 'category' as const, data: [...names],
    axisLabel: { color: palette.soft, hideOverlap: true },
    axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false },
  }
}
