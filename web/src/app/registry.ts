import type { ConsoleModule } from '@/kit/module'
import audit from '@/modules/audit'
import { ble } from '@/modules/ble'
import devices from '@/modules/devices'
import jobs from '@/modules/jobs'
import organisations from '@/modules/organisations'
import outbox from '@/modules/outbox'
import people from '@/modules/people'
import profile from '@/modules/profile'

/** Every part of the console, in the order of the navigation. */
export const modules: readonly ConsoleModule[] = [
  ...ble,
  devices,
  people,
  audit,
  organisations,
  outbox,
  jobs,
  profile,
]
