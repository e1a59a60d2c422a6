import type L from 'leaflet'
import type { EditPointer } from './types'

export interface PointerHandlers {
  /** True: the pointer is the editor's until it is let go, and the map stays where it is. */
  onDown: (pointer: EditPointer) => boolean
  onMove: (pointer: EditPointer) => void
  /** `isPress`: it stayed where it went down. */
  onUp: (pointer: EditPointer, isPress: boolean) => void
  onLeave: () => void
}

// A hand never rests: less than this is a press, not a drag.
const pressPx = { mouse: 4, touch: 10 }

/** Tells of the pointer over the map in metres; gives what ends it. */
export function watchPointer(map: L.Map, handlers: PointerHandlers): () => void {
  const container = map.getContainer()
  const held = new Map<number, { x: number; y: number; moved: boolean }>()
  let isOurs = false

  const place = (event: PointerEvent): EditPointer => {
    const { lat, lng } = map.mouseEventToLatLng(event)
    return { at: { x: lng, y: lat }, pxPerMetre: 2 ** map.getZoom(), alt: event.altKey, shift: event.shiftKey, touch: event.pointerType === 'touch' }
  }

  function down(event: PointerEvent) {
    if (event.button !== 0 || (event.target as Element).closest('.leaflet-control')) return
    held.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: false })
    // A second finger zooms: what the first began is let go where it is.
    if (held.size > 1) return end(event)
    isOurs = handlers.onDown(place(event))
    if (isOurs) map.dragging.disable()
  }

  function move(event: PointerEvent) {
    const from = held.get(event.pointerId)
    const limit = event.pointerType === 'touch' ? pressPx.touch : pressPx.mouse
    if (from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > limit) from.moved = true
    if (held.size > 1 || (from && !isOurs) || (from && !from.moved)) return
    handlers.onMove(place(event))
  }

  function up(event: PointerEvent) {
    const from = held.get(event.pointerId)
    held.delete(event.pointerId)
    if (!from || held.size > 0) return
    const isPress = !from.moved
    if (isOurs || isPress) handlers.onUp(place(event), isPress)
    end(event)
  }

  function end(event: PointerEvent) {
    if (event.type === 'pointercancel') held.delete(event.pointerId)
    isOurs = false
    map.dragging.enable()
  }

  const leave = () => handlers.onLeave()
  // Before Leaflet's own listeners, which begin a drag with the mouse or touch event that follows.
  container.addEventListener('pointerdown', down, true)
  window.addEventListener('pointermove', move)
  window.addEventListener('pointerup', up)
  window.addEventListener('pointercancel', end)
  container.addEventListener('pointerleave', leave)
  return () => {
    container.removeEventListener('pointerdown', down, true)
    window.removeEventListener('pointermove', move)
    window.removeEventListener('pointerup', up)
    window.removeEventListener('pointercancel', end)
    container.removeEventListener('pointerleave', leave)
  }
}
