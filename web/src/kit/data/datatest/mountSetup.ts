import { createApp, defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'

/** Runs a composable in a mounted application with a router that stands at `path`. */
export async function mountSetup<T>(path: string, setup: () => T): Promise<{ result: T; router: Router; unmount: () => void }> {
  const nothing = defineComponent(() => () => h('div'))
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: nothing }] })
  await router.push(path)
  const given: { result?: T } = {}
  const app = createApp(defineComponent(() => {
    given.result = setup()
    return () => h('div')
  }))
  app.use(router).mount(document.createElement('div'))
  return { result: given.result as T, router, unmount: () => app.unmount() }
}

/** Lets everything run that waits for nothing but its turn. */
export async function flushPromises(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
  await new Promise((resolve) => setTimeout(resolve))
}
