import { onScopeDispose, readonly, type Ref, shallowRef } from 'vue'
import { Player, type PlayerOptions, type PlayerState } from '../playback/player'

export interface UsePlaybackReturn {
  /** A few times a second. */
  state: Readonly<Ref<PlayerState>>
  player: Player
}

/** A player that stops with its scope. */
export function usePlayback(options: Omit<PlayerOptions, 'onState' | 'schedule'>): UsePlaybackReturn {
  const state = shallowRef<PlayerState>({ at: 0, loadedTo: 0, isPlaying: false, isWaiting: true, failure: undefined })
  const player = new Player({ ...options, onState: (next) => (state.value = next), schedule: frames() })
  onScopeDispose(() => player.stop())
  return { state: readonly(state) as Readonly<Ref<PlayerState>>, player }
}

function frames(): PlayerOptions['schedule'] {
  return (tick) => {
    const frame = requestAnimationFrame(tick)
    return () => cancelAnimationFrame(frame)
  }
}
