import type { ConsoleModule } from '@/kit/module'
import ble from '@/modules/ble'
import organisations from '@/modules/organisations'
import people from '@/modules/people'
import profile from '@/modules/profile'

/** Every part of the console, in the order of the navigation. */
export const modules: readonly ConsoleModule[] = [
  ble,
  people,
  organisations,
  profile,
]
