import type { ConsoleModule } from '@/kit/module'
import ble from '@/modules/ble'

/** Every product of the console, in the order of the navigation. */
export const modules: readonly ConsoleModule[] = [ble]
