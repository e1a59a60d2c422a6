import { watch } from 'vue'
import { useApi } from '@/api/client'
import type { Trail } from '@/map/playback/types'
import type { MapPoint, MapTag } from '@/map/types'
import { fetchTracks, type Past, type TagMeta } from '../api'
import { Frames, trailsOf } from '../playback/frames'
import type { Tracks } from '../playback/tracks'
import type { HistoryState } from './useHistoryAddress'
import { usePlayback, type UsePlaybackReturn } from './usePlayback'

export interface Stage {
  show: (tags: readonly MapTag[], zones: ReadonlyMap<string, number>) => void
  showTrails: (trails: readonly Trail[]) => void
  reveal: (at: MapPoint) => void
}

export interface UseStageOptions {
  past: () => Past
  state: () => HistoryState
  /** The map, once there is one. */
  map: () => Stage | undefined
  onRest: (at: number) => void
}

export interface UseStageReturn extends UsePlaybackReturn {
  metaOf: (id: string) => TagMeta
}

// A trail grows by less than its own width meanwhile.
const trailMs = 120

/** Plays what the address says on the map: fixes as they are loaded, tags and trails frame by frame. */
export function useStage({ past, state, map, onRest }: UseStageOptions): UseStageReturn {
  const api = useApi()
  const known = new Map<string, TagMeta>()
  const metaOf = (id: string) => known.get(id) ?? { name: '', type: '' }
  let frames = new Frames(metaOf)
  let trailsAt = 0
  // A chosen tag is brought into view once; after that the map is the person's.
  let revealed = ''

  function onFrame(tracks: Tracks, at: number) {
    const stage = map()
    if (!stage) return
    const { tags, zones } = frames.draw(tracks, at)
    stage.show(tags, zones)
    const { tag, trailMin } = state()
    const chosen = tag && tag !== revealed ? tags.find(({ id }) => id === tag) : undefined
    if (chosen) {
      revealed = tag
      stage.reveal(chosen)
    }
    const now = performance.now()
    if (playback.state.value.isPlaying && now - trailsAt < trailMs) return
    trailsAt = now
    stage.showTrails(trailsOf(tracks, tags, at, trailMin * 60_000, tag))
  }

  const playback = usePlayback({ onFrame, onRest })

  function open(at: number) {
    const asked = past()
    frames = new Frames(metaOf)
    playback.player.open({
      range: { from: asked.from, to: asked.to }, speed: state().speed,
      load: (stepMs) => (request, signal) => fetchTracks(api, asked, stepMs, request, { known, signal }),
    }, at)
  }

  watch(() => `${past().from} ${past().to}`, () => open(state().at), { immediate: true })
  watch(() => JSON.stringify([past().tags, past().type, state().speed]), () => open(playback.player.at))
  watch(() => [state().tag, state().trailMin], ([tag]) => {
    if (tag !== revealed) revealed = ''
    playback.player.redraw()
  })
  return { ...playback, metaOf }
}
