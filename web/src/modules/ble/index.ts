import type { ConsoleModule } from '@/kit/module'
import alerts from './alerts'
import analytics from './analytics'
import history from './history'
import live from './live'
import plans from './plans'
import tags from './tags'

/** The rooms of the product, in the order of the navigation. */
export const ble: readonly ConsoleModule[] = [live, history, analytics, alerts, tags, plans]
