import type { Ref } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import type { Language } from './languages'

/** Messages of one language; the top level key is the module's id. */
export interface Messages {
  [key: string]: string | Messages
}

/** The actions of the customer's table of rights, as the server names them. */
export type Action =
  | 'view' | 'export' | 'device_settings' | 'manage_tags'
  | 'manage_users' | 'edit_plans' | 'read_audit' | 'open_dashboard'

/** What a person must have to see a part of the console; nothing asked means everybody who is logged in. */
export interface Requirement {
  /** The product that must be switched on. */
  product?: string
  /** The right that is needed. */
  action?: Action
  /** Only for super-admins. */
  admin?: boolean
  /** Something of one organisation: a super-admin has it only while acting in one. */
  organisation?: boolean
}

/** The groups of the navigation, in its order. */
export const navGroups = ['products', 'organisation', 'system'] as const
export type NavGroup = (typeof navGroups)[number]

/** One entry of the navigation. What it does not ask for itself, its module asks for. */
export interface NavEntry extends Requirement {
  /** Key of the title in the locale files. */
  title: string
  /** SVG path of @mdi/js. */
  icon: string
  to: string
  group: NavGroup
  /** Called once in the setup of the menu: a number beside the entry, none when 0. */
  useBadge?: () => Readonly<Ref<number>>
}

export interface ConsoleModule extends Requirement {
  id: string
  /** Key of the title in the locale files. */
  title: string
  /** SVG path of @mdi/js. */
  icon: string
  /** Where the module begins. */
  home: string
  nav: NavEntry[]
  /** Pages below the shell; `meta.title` is the key of the page's title, requirements in `meta` replace the module's. */
  routes: RouteRecordRaw[]
  /** Pages without the shell around them, such as a screen on a wall. They ask for what the module asks for unless they are open. */
  screens?: RouteRecordRaw[]
  messages: Record<Language, () => Promise<{ default: Messages }>>
}

/** The contract of a product with the shell: one object, nothing by side effect. */
export function defineModule(module: ConsoleModule): ConsoleModule {
  return module
}
