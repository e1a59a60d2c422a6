import type { ChartOption, Flow, Look } from '../types'
import { baseOption } from './base'

export interface FlowInput {
  flows: readonly Flow[]
  /** How a place is called. */
  nameOf: (place: string) => string
  countText: (count: number) => string
}

/** Nodes repeat from step to step: a route that returns would be a circle, which has no left and right. */
const nodeOf = (place: string, step: number) => `${step}:${place}`
const placeOf = (node: string) => node.slice(node.indexOf(':') + 1)

/** Streams from the left to the right, as broad as they are frequent. */
export function flowOption({ flows, nameOf, countText }: FlowInput, look: Look): ChartOption {
  const colours = coloursOf(flows, look)
  const nodes = [...new Set(flows.flatMap(({ from, to, step }) => [nodeOf(from, step), nodeOf(to, step + 1)]))]
  const last = Math.max(0, ...flows.map(({ step }) => step + 1))
  return {
    ...baseOption(look),
    tooltip: { ...baseOption(look).tooltip, trigger: 'item', formatter: (given: unknown) => tip(given, nameOf, countText) },
    series: [{
      type: 'sankey', left: 4, right: 4, top: 8, bottom: 8, nodeWidth: 12, nodeGap: 10, layoutIterations: 32, draggable: false, emphasis: { focus: 'adjacency' },
      label: { color: look.palette.ink, fontSize: 12, formatter: ({ name }: { name: string }) => short(nameOf(placeOf(name)), look.narrow) },
      lineStyle: { color: 'source', opacity: 0.32, curveness: 0.5 },
      data: nodes.map((node) => ({
        name: node, id: node, depth: Number.parseInt(node, 10), itemStyle: { color: colours.get(placeOf(node)) },
        // What stands at the right end has its name at its left.
        ...(Number.parseInt(node, 10) === last ? { label: { position: 'left' as const } } : {}),
      })) as never,
      links: flows.map(({ from, to, step, count }) => ({ source: nodeOf(from, step), target: nodeOf(to, step + 1), value: count, id: `${from}>${to}` })) as never,
    }],
  }
}

/** The busiest places have a colour of their own, the rest share a quiet one. */
function coloursOf(flows: readonly Flow[], { palette }: Look): Map<string, string> {
  const total = new Map<string, number>()
  for (const { from, to, count } of flows) for (const place of [from, to]) total.set(place, (total.get(place) ?? 0) + count)
  const byTraffic = [...total].sort((a, b) => b[1] - a[1]).map(([place]) => place)
  return new Map(byTraffic.map((place, rank) => [place, palette.series[rank] ?? palette.earlier]))
}

function tip(given: unknown, nameOf: (place: string) => string, countText: (count: number) => string): string {
  const { dataType, data, value } = given as { dataType?: string; data: { source?: string; target?: string; name?: string }; value: number }
  if (dataType === 'edge') return `${nameOf(placeOf(data.source ?? ''))} → ${nameOf(placeOf(data.target ?? ''))}\n${countText(value)}`
  return `${nameOf(placeOf(data.name ?? ''))}\n${countText(value)}`
}

function short(name: string, narrow: boolean): string {
  const most = narrow ? 12 : 24
  return name.length > most ? `${name.slice(0, most - 1)}…` : name
}
