import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

/** Whether the server can be reached, as far as the last request and the browser know. */
export const useReachStore = defineStore('reach', () => {
  const answered = shallowRef(true)
  const network = shallowRef(navigator.onLine)
  window.addEventListener('online', () => (network.value = true))
  window.addEventListener('offline', () => (network.value = false))

  const isAway = computed(() => !network.value || !answered.value)
  return { isAway, hasNetwork: network, noteAnswer: () => void (answered.value = true), noteSilence: () => void (answered.value = false) }
})
