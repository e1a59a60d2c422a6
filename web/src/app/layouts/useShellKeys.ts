import { nextTick, onScopeDispose, watch } from 'vue'
import { useRoute } from 'vue-router'

export interface UseShellKeysOptions {
  search: () => void
}

/**
 * The keyboard of the shell: Ctrl or ⌘ with K searches; a new page takes the
 * focus, so that reading goes on there and not in the menu.
 */
export function useShellKeys({ search }: UseShellKeysOptions): { searchKey: string } {
  const isApple = /Mac|iPhone|iPad/.test(navigator.platform)
  const route = useRoute()

  function press(event: KeyboardEvent) {
    const isSearch = event.key.toLowerCase() === 'k' && (isApple ? event.metaKey : event.ctrlKey)
    if (!isSearch || event.altKey || event.shiftKey) return
    event.preventDefault()
    search()
  }

  window.addEventListener('keydown', press)
  onScopeDispose(() => window.removeEventListener('keydown', press))
  // Parts of an address are a page's own affair; another page has another name.
  watch(() => route.name, async () => {
    await nextTick()
    const main = document.getElementById('content')
    // What the page itself has focused already is the better place.
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true })
  })
  return { searchKey: isApple ? '⌘K' : 'Ctrl K' }
}
