import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import { type Api, bodyOf } from '@/api/client'
import { type Failure, failureOf } from '@/api/errors'
import type { Location, Plan } from '@/api/types'
import type { LiveAccess } from '@/live/access'
import { fetchPlan } from '../../place/api'

// Receivers and zones change seldom; a server that was away is asked sooner.
const refreshMs = 30_000
const retryMs = 5000

export interface UseWallPlansReturn {
  location: Readonly<ShallowRef<Location | undefined>>
  plans: Readonly<ShallowRef<readonly Plan[]>>
  /** Why there is nothing to show; what was shown once stays while the server is away. */
  failure: Readonly<ShallowRef<Failure | undefined>>
}

/** A location with all its plans, kept fresh for as long as the screen hangs there. */
export function useWallPlans(api: Api, access: LiveAccess, id: string): UseWallPlansReturn {
  const location = shallowRef<Location>()
  const plans = shallowRef<readonly Plan[]>([])
  const failure = shallowRef<Failure>()
  const pictures = new Map<string, string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false

  /** A picture is loaded by the browser itself, which sends a cookie but no session of a link. */
  async function withPicture(plan: Plan): Promise<Plan> {
    const { image } = plan
    if (!image || !access.bearer) return plan
    let url = pictures.get(image.url)
    if (!url) {
      const answer = await fetch(image.url, { headers: { Authorization: `Bearer ${access.bearer}` }, credentials: 'omit' })
      if (!answer.ok) return { ...plan, image: null } as unknown as Plan // the document does not say that it may be null
      url = URL.createObjectURL(await answer.blob())
      pictures.set(image.url, url)
    }
    return { ...plan, image: { ...image, url } }
  }

  async function load() {
    try {
      const found = await bodyOf(api.GET('/api/v1/client/locations/{id}', { params: { path: { id } } }))
      const drawn = await Promise.all(found.plans.map(async (plan) => withPicture(await fetchPlan(api, plan.id))))
      if (isOver) return
      location.value = found
      plans.value = drawn
      failure.value = undefined
    } catch (error) {
      const why = failureOf(error)
      // A screen on a wall comes back by itself; until then it shows what it knows.
      if (why !== 'away' || plans.value.length === 0) failure.value = why
    }
    if (!isOver) timer = setTimeout(load, failure.value ? retryMs : refreshMs)
  }
  void load()
  onScopeDispose(() => {
    isOver = true
    clearTimeout(timer)
    for (const url of pictures.values()) URL.revokeObjectURL(url)
  })
  return { location, plans, failure }
}
