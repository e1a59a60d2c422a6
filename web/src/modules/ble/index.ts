import type { ConsoleModule } from '@/kit/module'
import live from './live'

/** The rooms of the product, in the order of the navigation. */
export const ble: readonly ConsoleModule[] = [live]
