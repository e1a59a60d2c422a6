import { defineStore } from 'pinia'
import { computed, markRaw, onScopeDispose, shallowRef, triggerRef } from 'vue'
import { type LiveAccess, liveUrl, poll, socketUrl } from './access'
import { LiveClient, type LiveStatus, type Probe } from './client'
import type { LiveMessage, LiveZone } from './messages'
import { type HeardTag, LiveTable } from './table'

/**
 * The one live connection of this tab. `tags` and `zones` are the same maps
 * all the time; their refs trigger at most once per animation frame, so a
 * computed over them never runs more often than the screen is painted.
 */
export const useLiveStore = defineStore('live', () => {
  const table = new LiveTable()
  const tags = shallowRef<ReadonlyMap<string, HeardTag>>(markRaw(table.tags))
  const zones = shallowRef<ReadonlyMap<string, LiveZone>>(markRaw(table.zones))
  const status = shallowRef<LiveStatus>({ kind: 'idle' })
  const location = shallowRef('')
  const lastMessageAt = shallowRef<number>()
  const hasSnapshot = shallowRef(false)
  /** By a link: the end of its session is not that of the person's own. */
  const isGuest = shallowRef(false)
  // Server's clock minus this browser's.
  const clockOffsetMs = shallowRef(0)
  let client: LiveClient | undefined
  let frame = 0

  function publish() {
    frame = 0
    triggerRef(tags)
    triggerRef(zones)
  }

  function schedule() {
    if (frame === 0) frame = requestAnimationFrame(publish)
  }

  function receive(message: LiveMessage) {
    const now = Date.now()
    table.apply(message, now)
    lastMessageAt.value = now
    if (Number.isFinite(message.at)) clockOffsetMs.value = message.at - now
    if (message.type === 'snapshot') hasSnapshot.value = true
    schedule()
  }

  /**
   * Follows another location; the same one again changes nothing. `access` is that of
   * a link, if somebody came by one.
   */
  function open(id: string, probe: Probe, access: LiveAccess = {}) {
    if (id === location.value && client) return
    close()
    location.value = id
    isGuest.value = access.bearer !== undefined
    client = new LiveClient({
      url: access.bearer ? () => socketUrl(access) : liveUrl(window.location),
      location: id,
      rateMs: 100,
      probe,
      poll: (since) => poll(access, id, since),
      onMessage: receive,
      onStatus: (next) => (status.value = next),
    })
    if (navigator.onLine) client.retry()
    else client.goneOffline()
  }

  function close() {
    client?.close()
    client = undefined
    location.value = ''
    isGuest.value = false
    status.value = { kind: 'idle' }
    hasSnapshot.value = false
    lastMessageAt.value = undefined
    table.clear()
    schedule()
  }

  const retry = () => client?.retry()
  const goneOffline = () => client?.goneOffline()
  window.addEventListener('online', retry)
  window.addEventListener('offline', goneOffline)
  onScopeDispose(() => {
    window.removeEventListener('online', retry)
    window.removeEventListener('offline', goneOffline)
    cancelAnimationFrame(frame)
    client?.close()
  })

  const isOnline = computed(() => status.value.kind === 'online' || status.value.kind === 'polling')
  return { isGuest, tags, zones, status, location, lastMessageAt, hasSnapshot, clockOffsetMs, isOnline, open, close, retry }
})
