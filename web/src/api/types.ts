import type { components } from './schema'

// The server's objects under the names the console uses for them. Lengths are
// metres in the plan's own coordinates, x to the right and y up; angles
// degrees clockwise.

type Schemas = components['schemas']

/** Who is logged in, with the rights the menu is made of. */
export interface Me {
  user: {
    id: string
    email: string
    name: string
    phone: string
    role: string
    super_admin: boolean
    read_only: boolean
    language: string
    totp: boolean
  }
  organisation?: { id: string; name: string; time_zone: string; phone: string }
  products: string[]
  rights: { actions: string[]; everywhere: boolean; locations: { id: string; write: boolean }[] }
  acting?: { organisation_id: string; organisation: string; reason: string; since: string }
  /** False until the organisation has its first product. */
  activated: boolean
}
export type Location = Schemas['Location']
export type PlanRef = Schemas['PlanRef']
/** A plan with its receivers and zones. */
export type Plan = Schemas['Drawing']
export type Zone = Schemas['Zone']
