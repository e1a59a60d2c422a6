import type { ConsoleModule } from '@/kit/module'
import analytics from './analytics'
import history from './history'
import live from './live'
import tags from './tags'

/** The rooms of the product, in the order of the navigation. */
export const ble: readonly ConsoleModule[] = [live, history, analytics, tags]
