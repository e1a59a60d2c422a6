import { onScopeDispose } from 'vue'
import { type RouteLocationNormalizedLoaded, useRouter } from 'vue-router'
import { type PageView, type Sent, ViewQueue } from './queue'

const address = '/api/v1/client/audit/pages'

export interface UsePageViewsOptions {
  /** The person's id. */
  who: string
  /** The page's title as it is read. */
  titleOf: (route: RouteLocationNormalizedLoaded) => string
}

/**
 * Tells the audit log which pages a person opens, for as long as the scope
 * lives. Only the path is told: what follows ? and # may hold what was searched
 * for, or the secret of a link.
 */
export function usePageViews({ who, titleOf }: UsePageViewsOptions): void {
  const router = useRouter()
  const queue = new ViewQueue({ who, send, hand, storage: sessionStorage })
  let last = ''

  function see(route: RouteLocationNormalizedLoaded) {
    if (route.meta.open || route.path === last) return
    last = route.path
    queue.add({ page: route.path.slice(0, 200), title: titleOf(route).slice(0, 200), at: new Date().toISOString() })
  }

  const close = () => queue.handOver()
  // A phone may end a hidden page without a word; this one still hears the answer.
  const hide = () => document.hidden && void queue.flush()

  const leave = router.afterEach((to, _, failure) => failure ?? see(to))
  window.addEventListener('pagehide', close)
  document.addEventListener('visibilitychange', hide)
  onScopeDispose(() => {
    leave()
    window.removeEventListener('pagehide', close)
    document.removeEventListener('visibilitychange', hide)
    void queue.flush().finally(() => queue.stop())
  })
  void router.isReady().then(() => see(router.currentRoute.value))
}

async function send(views: readonly PageView[]): Promise<Sent> {
  try {
    const answer = await fetch(address, {
      method: 'POST', body: JSON.stringify({ views }), headers: { 'Content-Type': 'application/json' }, credentials: 'same-origin', keepalive: true,
    })
    if (answer.ok) return 'stored'
    // Logged out, too many, server ill: another time. The rest would never be taken.
    return answer.status === 401 || answer.status === 429 || answer.status >= 500 ? 'later' : 'refused'
  } catch {
    return 'later'
  }
}

// As text: a beacon of JSON would have to ask for permission first, which a closing page cannot.
function hand(views: readonly PageView[]): boolean {
  return navigator.sendBeacon(address, new Blob([JSON.stringify({ views })], { type: 'text/plain' }))
}
