import type { components } from '@/api/schema'

/** What people and the server do, a closed set. */
export const actions = ['login', 'login_failed', 'logout', 'view', 'create', 'change', 'delete', 'export', 'users', 'tunnel', 'switch', 'system'] as const
export type AuditAction = (typeof actions)[number]

type Schemas = components['schemas']

/** One line of the audit log; `user` is an e-mail, empty for the server itself. */
export type Entry = Schemas['Entry']
export type Verification = Schemas['VerifiedBody']
