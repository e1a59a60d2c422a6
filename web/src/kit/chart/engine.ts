import { BarChart, LineChart, SankeyChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import type { ChartOption, Pick } from './types'

// The only module that loads the drawing library, and only what is used of it.
// It is large: everybody else imports this one lazily.
use([BarChart, LineChart, SankeyChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer])

export interface Drawing {
  set: (option: ChartOption) => void
  remove: () => void
}

/** Draws into an element, and follows its size. */
export function draw(element: HTMLElement, onPick: (pick: Pick) => void): Drawing {
  const chart = init(element, undefined, { renderer: 'canvas' })
  const animation = !window.matchMedia('(prefers-reduced-motion: reduce)').matches
  const watcher = new ResizeObserver(() => chart.resize())
  watcher.observe(element)
  chart.on('click', ({ data, seriesId }) => {
    // A press on a curve itself means the curve, not one of its points.
    const id = (data as { id?: unknown } | undefined)?.id ?? seriesId
    if (typeof id === 'string') onPick({ id })
  })
  return {
    // Not merged: a series that is gone must not stay on the screen.
    set: (option) => chart.setOption({ animation, animationDuration: 250, ...option }, { notMerge: true }),
    remove() {
      watcher.disconnect()
      chart.dispose()
    },
  }
}
