import { computed, inject, type InjectionKey, provide, ref, shallowRef } from 'vue'
import { useApi } from '@/api/client'
import { useProblemText } from '@/composables/useProblemText'
import { fetchCalibration, tapSurvey } from '../api'
import type { Point } from '../editor/model'
import type { Calibration, TagRef } from '../types'
import type { PlanDesk } from './usePlanDesk'

/** A place where the person said "I am here", and what came of it. */
export interface Tap {
  at: Point
  state: 'sending' | 'done' | 'failed'
  readings: number
  text: string
}

// The tag is heard for as long as one stands, seconds.
const standS = 10

/** What the receivers have learned, and the walk that teaches them. */
function makeSurvey(desk: PlanDesk) {
  const api = useApi()
  const { problemText } = useProblemText()
  const calibration = shallowRef<Calibration>()
  const error = shallowRef<unknown>()
  const tag = shallowRef<TagRef>()
  const isWalking = ref(false)
  const taps = shallowRef<readonly Tap[]>([])
  let survey = ''

  async function load() {
    error.value = undefined
    try {
      calibration.value = await fetchCalibration(api, desk.id)
    } catch (cause) {
      error.value = cause
    }
  }

  function start() {
    if (!tag.value) return
    survey = new Date().toISOString().slice(0, 16).replace('T', ' ')
    taps.value = []
    isWalking.value = true
  }

  function stop() {
    isWalking.value = false
    void load()
  }

  async function here(at: Point) {
    if (!tag.value || !isWalking.value) return
    const mine: Tap = { at, state: 'sending', readings: 0, text: '' }
    taps.value = [...taps.value, mine]
    const became = await send(tag.value.id, at).then(
      (readings): Tap => ({ ...mine, state: 'done', readings }),
      (cause: unknown): Tap => ({ ...mine, state: 'failed', text: problemText(cause) }),
    )
    taps.value = taps.value.map((tap) => (tap === mine ? became : tap))
  }

  async function send(tagId: string, { x, y }: Point): Promise<number> {
    const { readings } = await tapSurvey(api, desk.id, { survey, tag_id: tagId, x_m: x, y_m: y, at: new Date().toISOString(), seconds: standS })
    return readings.length
  }

  const readings = computed(() => taps.value.reduce((sum, tap) => sum + tap.readings, 0))
  return { calibration, error, tag, isWalking, taps, readings, load, start, stop, here }
}

export type Survey = ReturnType<typeof makeSurvey>
const surveyKey: InjectionKey<Survey> = Symbol('survey')

export function provideSurvey(desk: PlanDesk): Survey {
  const survey = makeSurvey(desk)
  provide(surveyKey, survey)
  return survey
}

export function useSurvey(): Survey {
  const survey = inject(surveyKey)
  if (!survey) throw new Error('BUG: no survey on the plan')
  return survey
}
