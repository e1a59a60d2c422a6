import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Mail = Schemas['Mail']
export type MailText = Schemas['MailText']
export type MailSettings = Schemas['MailSettings']
export type MailState = Mail['state']

/** Kept: no mail server was set when it was written. */
export const mailStates = ['queued', 'sent', 'failed', 'kept'] as const satisfies readonly MailState[]
