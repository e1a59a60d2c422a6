import { computed, inject, type InjectionKey, provide, ref, shallowRef, watch } from 'vue'
import { useApi } from '@/api/client'
import type { EditCells } from '@/map/edit/types'
import { fetchCoverage, fetchPlan } from '../api'
import { docOf } from '../editor/convert'
import { heardOn, poorShareOf } from '../editor/coverage'
import type { Doc } from '../editor/model'
import type { Coverage, Version } from '../types'
import type { PlanDesk } from './usePlanDesk'

// Of a usual floor this makes some thousand cells.
const cellsAcross = 60

/** Colours of places by how many receivers hear a tag there: 0, 1, 2, and enough. */
export const coverageColors = [[179, 38, 30, 230], [235, 120, 40, 220], [242, 193, 78, 200]] as const

/** What lies over the plan, or stands in its place: coverage, and the plan as it was. */
function makeView(desk: PlanDesk) {
  const api = useApi()
  const isCovering = ref(false)
  const coverage = shallowRef<Coverage>()
  const failed = ref(false)
  const then = shallowRef<Version>()
  const old = shallowRef<Doc>()

  async function loadCoverage() {
    const bounds = desk.document.doc.value?.bounds
    if (!isCovering.value || !bounds) return
    const side = Math.max(bounds.max.x - bounds.min.x, bounds.max.y - bounds.min.y)
    const cellM = Math.max(0.25, Math.ceil((side / cellsAcross) * 4) / 4)
    const read = await fetchCoverage(api, desk.id, cellM).catch(() => undefined)
    failed.value = read === undefined
    coverage.value = read
  }

  async function show(version: Version | undefined) {
    then.value = version
    old.value = undefined
    if (!version) return
    const plan = await fetchPlan(api, desk.id, version.at).catch(() => undefined)
    if (then.value !== version) return
    if (plan) old.value = docOf(plan)
    else then.value = undefined
  }

  const heard = computed(() => (coverage.value && desk.document.doc.value ? heardOn(desk.document.doc.value, coverage.value) : []))
  const cells = computed<EditCells | undefined>(() => {
    const { value } = coverage
    if (!isCovering.value || !value || then.value) return undefined
    const { min_x: x, min_y: y, cell_m: cellM, columns, rows } = value
    const counts = heard.value
    return { min: { x, y }, cellM, columns, rows, paint: (i) => coverageColors[counts[i] ?? coverageColors.length] }
  })
  const poorShare = computed(() => poorShareOf(heard.value))

  watch(isCovering, () => void loadCoverage())
  // Receivers were moved, and the server knows it.
  watch(() => desk.document.state.value.kind, (kind) => kind === 'saved' && void loadCoverage())
  return { isCovering, cells, failed, poorShare, then, old, show }
}

export type PlanLook = ReturnType<typeof makeView>
const viewKey: InjectionKey<PlanLook> = Symbol('plan view')

export function provideView(desk: PlanDesk): PlanLook {
  const view = makeView(desk)
  provide(viewKey, view)
  return view
}

export function useView(): PlanLook {
  const view = inject(viewKey)
  if (!view) throw new Error('BUG: no plan in view')
  return view
}
