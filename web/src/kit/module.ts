import type { RouteRecordRaw } from 'vue-router'

/** Messages of one language; the top level key is the module's id. */
export interface Messages {
  [key: string]: string | Messages
}

export interface ConsoleModule {
  id: string
  /** Key of the title in the locale files. */
  title: string
  /** SVG path of @mdi/js. */
  icon: string
  /** Where its entry in the navigation leads. */
  home: string
  /** The product flag without which the module does not exist for a person. */
  product?: string
  routes: RouteRecordRaw[]
  messages: Record<'en' | 'ru', () => Promise<{ default: Messages }>>
}

/** The contract of a product with the shell: one object, nothing by side effect. */
export function defineModule(module: ConsoleModule): ConsoleModule {
  return module
}
