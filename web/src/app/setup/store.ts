import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { bodyOf, useApi } from '@/api/client'

export type StepId = 'organisation' | 'products' | 'scanner'

export interface Setup {
  done: boolean
  steps: { id: StepId; done: boolean }[]
  demo: { available: boolean; running: boolean }
}

/** How far the first-run assistant is; the server knows. */
export const useSetupStore = defineStore('setup', () => {
  const api = useApi()
  const setup = shallowRef<Setup>()

  /** Throws an ApiError. */
  async function load(): Promise<void> {
    setup.value = (await bodyOf(api.GET('/api/v1/admin/setup', {}))) as Setup
  }

  /** Whether there is nothing to greet with; a server that does not say is not set up anew. */
  async function isDone(): Promise<boolean> {
    if (!setup.value) await load().catch(() => undefined)
    return setup.value?.done ?? true
  }

  async function finish(): Promise<void> {
    await bodyOf(api.PUT('/api/v1/admin/setup', { body: { done: true } }))
    if (setup.value) setup.value = { ...setup.value, done: true }
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
