import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { EditMarks, EditPicture, EditShape, EditText, ShapeLook } from '@/map/edit/types'
import { labelChord } from '@/map/geometry'
import type { MapReceiver } from '@/map/types'
import { closed, type Doc, edgesOf, type Item, type Kind, pictureOf, type Point } from '../editor/model'
import { goesAround } from '../editor/draw'
import type { Tools } from './tools'

export interface UsePlanShapesOptions {
  doc: Readonly<Ref<Doc | undefined>>
  kinds: Readonly<Ref<readonly Kind[]>>
  online: Readonly<Ref<ReadonlySet<string>>>
  tools?: Tools
  pins?: Readonly<Ref<EditMarks['pins']>>
}

const looks: Readonly<Partial<Record<Kind, ShapeLook>>> = { room: 'room', no_go: 'no-go', zone: 'zone', wall: 'wall', door: 'door' }
// What is drawn first lies below.
const below: readonly Kind[] = ['room', 'no_go', 'zone', 'wall', 'door']

/** The document as the map draws it. */
export function usePlanShapes({ doc, kinds, online, tools, pins }: UsePlanShapesOptions) {
  const { t } = useI18n()
  const isSelected = (id: string) => tools?.selection.value.has(id) ?? false
  const items = computed(() => doc.value?.items.filter(({ kind }) => kinds.value.includes(kind)) ?? [])

  const shapes = computed<EditShape[]>(() => below.flatMap((kind) => items.value.filter((item) => item.kind === kind)).map(shapeOf))

  function shapeOf(item: Item): EditShape {
    const color = 'color' in item ? { color: item.color } : {}
    return { id: item.id, look: looks[item.kind] as ShapeLook, points: item.points, selected: isSelected(item.id), ...color }
  }

  const texts = computed<EditText[]>(() => items.value.flatMap((item): EditText[] => {
    if (item.kind === 'label') return [{ id: item.id, at: item.points[0] as Point, text: item.text, sizeM: item.sizeM, selected: isSelected(item.id) }]
    if (item.kind === 'room' && item.label) return [{ id: item.id, at: middleOf(item), text: item.label, sizeM: 0, selected: false }]
    if (item.kind !== 'zone') return []
    return [{ id: item.id, at: middleOf(item), text: item.name || t('blePlans.zone.number', { n: item.number }), sizeM: 0, selected: false }]
  }))

  const receivers = computed<MapReceiver[]>(() => items.value.flatMap((item) => {
    if (item.kind !== 'receiver') return []
    const { x, y } = item.points[0] as Point
    const isOnline = online.value.has(item.device)
    const label = t(isOnline ? 'blePlans.receiver.online' : 'blePlans.receiver.offline', { n: item.number })
    return [{ id: item.id, x, y, rotation: item.rotation, online: isOnline, label, selected: isSelected(item.id) }]
  }))

  const picture = computed<EditPicture | undefined>(() => {
    const found = doc.value && kinds.value.includes('picture') ? pictureOf(doc.value) : undefined
    if (!found) return undefined
    const { url, widthPx, heightPx, metresPerPx, points, rotation, opacity } = found
    return { url, widthPx, heightPx, metresPerPx, at: points[0] as Point, rotation, opacity }
  })

  const marks = computed<EditMarks>(() => {
    const chosen = tools?.single.value
    const handled = chosen && chosen.points.length > 1 ? chosen : undefined
    const cursor = tools?.cursor.value
    return {
      stroke: tools?.stroke.value?.points ?? [],
      closes: tools?.stroke.value ? goesAround(tools.stroke.value.kind) : false,
      ...(cursor ? { cursor: { at: cursor.point, snapped: cursor.kind !== 'none' } } : {}),
      corners: handled?.points ?? [],
      middles: handled && handled.kind !== 'door' ? edgesOf(handled).map(([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })) : [],
      crossings: tools?.refused.value ?? [],
      pins: pins?.value ?? [],
    }
  })

  return { shapes, texts, receivers, picture, marks }
}

function middleOf({ kind, points }: Item): Point {
  const chord = closed.includes(kind) ? labelChord(points) : undefined
  return chord ? { x: chord.left + chord.width / 2, y: chord.y } : (points[0] as Point)
}
