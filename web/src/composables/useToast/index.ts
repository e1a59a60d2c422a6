import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

export interface Toast {
  id: number
  text: string
  kind: 'success' | 'error' | 'info'
}

/** The short notices of the shell, shown one after the other. */
export const useToast = defineStore('toast', () => {
  const queue = shallowRef<readonly Toast[]>([])
  let lastId = 0

  function show(text: string, kind: Toast['kind'] = 'success') {
    // More than a few at once are not read by anybody.
    queue.value = [...queue.value.slice(-3), { id: ++lastId, text, kind }]
  }

  function dismiss(id: number) {
    queue.value = queue.value.filter((toast) => toast.id !== id)
  }

  return { queue, show, dismiss }
})
