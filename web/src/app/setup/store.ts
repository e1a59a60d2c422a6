import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { bodyOf, useApi } from '@/api/client'
import type { Setup } from '@/api/types'

type StepId = Setup['steps'][number]['id']

/** How far the first-run assistant is; the server knows. */
export const useSetupStore = defineStore('setup', () => {
  const api = useApi()
  const setup = shallowRef<Setup>()

  /** Throws an ApiError. */
  async function load(): Promise<void> {
    setup.value = await bodyOf(api.GET('/api/v1/admin/setup', {}))
  }

  /** Whether there is nothing to greet with; a server that does not say is not set up anew. */
  async function isDone(): Promise<boolean> {
    if (!setup.value) await load().catch(() => undefined)
    return setup.value?.done ?? true
  }

  async function finish(): Promise<void> {
    setup.value = await bodyOf(api.PUT('/api/v1/admin/setup', { body: { done: true } }))
  }

  async function startDemo(): Promise<void> {
    await bodyOf(api.POST('/api/v1/admin/demo'))
    await load()
  }

  async function stopDemo(): Promise<void> {
    await bodyOf(api.DELETE('/api/v1/admin/demo'))
    await load()
  }

  const isStepDone = (id: StepId) => setup.value?.steps.some((step) => step.id === id && step.done) ?? false
  const hasDemo = computed(() => setup.value?.demo.available ?? false)
  return { setup, hasDemo, load, isDone, finish, startDemo, stopDemo, isStepDone }
})
