import { computed, inject, type InjectionKey, onScopeDispose, provide, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useApi } from '@/api/client'
import { useReachStore } from '@/api/reach'
import { useSessionStore } from '@/api/session'
import { useToast } from '@/composables/useToast'
import { backendOf, fetchPlaces, fetchPlan, fetchUnplaced } from '../api'
import { browserDrafts } from '../editor/drafts'
import type { DrawKind } from '../editor/draw'
import type { Tool } from '../editor/keys'
import { add, type Item, type Kind, ofKind, type Point, replace, roomColors, zoneColors } from '../editor/model'
import type { Device, Place, PlanDrawing } from '../types'
import { useDocument } from './useDocument'
import { Tools } from './tools'

export type Panel = 'item' | 'zones' | 'receivers' | 'picture' | 'calibration' | 'versions'

const all: readonly Kind[] = ['room', 'no_go', 'zone', 'wall', 'door', 'label', 'receiver']
// That of a ceiling or a high shelf, metres.
const usualHeightM = 2.5
const labelSizeM = 0.5
// Receivers go on and off line seldom.
const refreshMs = 20_000

/** Everything about one plan that its page shows and does; the parts of the page share it. */
export function usePlanDesk(id: string) {
  const { t } = useI18n()
  const api = useApi()
  const session = useSessionStore()
  const reach = useReachStore()
  const toast = useToast()

  const plan = shallowRef<PlanDrawing>()
  const places = shallowRef<readonly Place[]>([])
  const devices = shallowRef<readonly Device[]>([])
  const device = ref('')
  const panel = ref<Panel>('item')
  const scaleLine = shallowRef<readonly [Point, Point]>()
  const hidden = ref<readonly Kind[]>([])
  const isReadOnly = ref(false)

  const place = computed(() => places.value.find((one) => one.id === plan.value?.location_id))
  const canEdit = computed(() => !isReadOnly.value && session.can('edit_plans') && session.mayChange(plan.value?.location_id ?? ''))
  const kinds = computed(() => all.filter((kind) => !hidden.value.includes(kind)))
  const visibleKinds = computed<readonly Kind[]>(() => [...(['picture', ...all] as const)].filter((kind) => !hidden.value.includes(kind)))
  const online = computed<ReadonlySet<string>>(() => new Set(plan.value?.receivers.filter((one) => one.online).map((one) => one.device_id)))

  const backend = backendOf(api, id, (read) => (plan.value = read))
  const document = useDocument({ plan: id, backend, drafts: browserDrafts(session.user?.id ?? '') })
  const tools = new Tools({ doc: document.doc, edit: (doc) => document.edit(doc), canEdit, kinds, onShape, onPlace })

  function onShape(kind: DrawKind, points: readonly Point[]) {
    if (kind === 'scale') scaleLine.value = [points[0] as Point, points[1] as Point]
    else put(shapeOf(kind, points))
  }

  function shapeOf(kind: Exclude<DrawKind, 'scale'>, points: readonly Point[]): Item {
    const made = { id: crypto.randomUUID(), points }
    if (kind === 'room') return { ...made, kind, color: roomColors[0], label: '' }
    if (kind !== 'zone') return { ...made, kind }
    const numbers = document.doc.value ? ofKind(document.doc.value, 'zone').map(({ number }) => number) : []
    const number = Math.max(0, ...numbers) + 1
    const color = zoneColors[(number - 1) % zoneColors.length] as string
    return { ...made, kind, number, name: t('blePlans.zone.number', { n: number }), color, capacity: null, parent: '' }
  }

  function onPlace(tool: Tool, p: Point) {
    if (tool === 'label') put({ id: crypto.randomUUID(), kind: 'label', points: [p], text: t('blePlans.label.text'), sizeM: labelSizeM })
    if (tool === 'receiver') hang(device.value, p)
  }

  /** Hangs a device on the plan. */
  function hang(deviceId: string, p: Point) {
    const chosen = unplaced.value.find((one) => one.id === deviceId)
    if (!chosen) return toast.show(t('blePlans.receiver.chooseFirst'), 'info')
    device.value = ''
    put({ id: crypto.randomUUID(), kind: 'receiver', points: [p], device: chosen.id, number: chosen.number, name: chosen.name, zM: usualHeightM, rotation: 0, gainDb: 0 })
  }

  /** Adds an item and chooses it; walls and doors go on, the others are to be named. */
  function put(item: Item) {
    if (!document.doc.value || !canEdit.value) return
    document.edit(add(document.doc.value, item))
    if (item.kind === 'wall' || item.kind === 'door' || item.kind === 'no_go' || item.kind === 'room') return
    tools.use('select')
    tools.select(new Set([item.id]))
    panel.value = 'item'
  }

  /** Changes an item; what is typed in one go is undone in one go. */
  function change(item: Item, field: string) {
    if (document.doc.value && canEdit.value) document.edit(replace(document.doc.value, item), `${field} ${item.id}`)
  }

  const unplaced = computed(() => {
    const taken = new Set(document.doc.value ? ofKind(document.doc.value, 'receiver').map((one) => one.device) : [])
    return devices.value.filter((one) => !taken.has(one.id))
  })

  async function loadDevices(): Promise<void> {
    const location = plan.value?.location_id
    if (!location) return
    const own = new Set(plan.value?.receivers.map((one) => one.device_id))
    const free = await fetchUnplaced(api, location, own).catch(() => undefined)
    if (free) devices.value = free
  }

  async function load(): Promise<void> {
    await document.load()
    await Promise.all([loadDevices(), fetchPlaces(api).then((list) => (places.value = list), () => undefined)])
  }

  /** Reads the states of receivers; the document goes its own way. */
  const refresh = () => fetchPlan(api, id).then((read) => (plan.value = read), () => undefined)

  const timer = setInterval(() => !window.document.hidden && document.state.value.kind === 'saved' && void refresh(), refreshMs)
  onScopeDispose(() => clearInterval(timer))
  // The server is there again: what waits need not wait any longer.
  watch(() => reach.isAway, (away) => !away && document.state.value.kind === 'waiting' && void document.save())

  return {
    id, plan, place, places, device, devices: unplaced, panel, scaleLine, hidden, isReadOnly, canEdit, visibleKinds, online,
    document, tools, put, hang, change, load, loadDevices,
  }
}

export type PlanDesk = ReturnType<typeof usePlanDesk>

const deskKey: InjectionKey<PlanDesk> = Symbol('plan desk')

export function providePlanDesk(desk: PlanDesk): PlanDesk {
  provide(deskKey, desk)
  return desk
}

/** The desk of the page; only inside its parts. */
export function useDesk(): PlanDesk {
  const desk = inject(deskKey)
  if (!desk) throw new Error('BUG: no plan on the desk')
  return desk
}
