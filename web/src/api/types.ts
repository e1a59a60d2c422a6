import type { components } from './schema'

// The server's objects under the names the console uses for them. Lengths are
// metres in the plan's own coordinates, x to the right and y up; angles
// degrees clockwise.

type Schemas = components['schemas']

export type Me = Schemas['MeOutputBody']
export type Location = Schemas['Location']
export type PlanRef = Schemas['PlanRef']
/** A plan with its receivers and zones. */
export type Plan = Schemas['Drawing']
export type Zone = Schemas['Zone']
