export const mailStates = ['queued', 'sent', 'failed', 'kept'] as const
/** Kept: no mail server was set when it was written. */
export type MailState = (typeof mailStates)[number]

export interface Mail {
  id: string
  to: string
  subject: string
  state: MailState
  attempts: number
  error: string
  created_at: string
  sent_at: string | null
}

export interface MailText extends Mail {
  text: string
  html: string
}

export interface MailSettings {
  configured: boolean
  /** Host and port, without secrets. */
  server: string
  from: string
}
