import type { components } from './schema'

// The server's objects under the names the console uses for them. Lengths are
// metres in the plan's own coordinates, x to the right and y up; angles
// degrees clockwise.

type Schemas = components['schemas']

/** Who is logged in, with the rights the menu is made of. */
export type Me = Schemas['Me']
export type Location = Schemas['Location']
export type PlanRef = Schemas['PlanRef']
/** A plan with its receivers and zones. */
export type Plan = Schemas['Drawing']
export type Zone = Schemas['Zone']
/** Somebody with an account, as an owner or a super-admin sees it. */
export type Person = Schemas['Person']
export type Session = Schemas['Session']
export type Token = Schemas['Token']
/** A key for programs of an organisation. */
export type Key = Schemas['Key']
/** What is asked of the server to make one. */
export type NewKey = Schemas['NewKeyInputBody']
/** A customer as super-admins see it. */
export type Organisation = Schemas['Organisation']
export type NewOrganisation = Schemas['NewOrganisationInputBody']
export type OrganisationChange = Schemas['ChangeOrganisationInputBody']
/** An organisation as its own people see it. */
export type OwnOrganisation = Schemas['OwnOrganisation']
export type Registration = Schemas['RegisterInputBody']
/** What a one-time link is for. */
export type Link = Schemas['LinkOutputBody']
/** What an authenticator app needs: the secret, as text, as address and as picture. */
export type TotpStart = Schemas['SecretOutputBody']
export type Invitation = Schemas['InviteInputBody']
export type PersonChange = Schemas['ChangePersonInputBody']
/** The customer's table: what each role may do. */
export type Rights = Schemas['RightsOutputBody']
export type SearchHit = Schemas['SearchOutputBody']['items'][number]
/** How far the first-run assistant is. */
export type Setup = Schemas['Setup']
