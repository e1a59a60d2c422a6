import { type Api, bodyOf } from '@/api/client'
import type { Page, PageRequest } from '@/kit/data/types'
import type { Mail, MailSettings, MailState, MailText } from './types'

const one = (id: string) => ({ params: { path: { id } } })

export const fetchSettings = (api: Api): Promise<MailSettings> => bodyOf(api.GET('/api/v1/admin/mail', {}))

export const fetchMails = (api: Api, state: MailState | undefined, page: PageRequest): Promise<Page<Mail>> =>
  bodyOf(api.GET('/api/v1/admin/mails', { params: { query: { state, ...page } } }))

export const fetchMail = (api: Api, id: string): Promise<MailText> => bodyOf(api.GET('/api/v1/admin/mails/{id}', one(id)))

export async function retryMail(api: Api, id: string): Promise<void> {
  await bodyOf(api.POST('/api/v1/admin/mails/{id}/retry', one(id)))
}

/** Answers once the mail server has, with what became of the mail. */
export const sendTest = (api: Api, to: string, language: 'ru' | 'en'): Promise<Mail> =>
  bodyOf(api.POST('/api/v1/admin/mail/test', { body: { to, language } }))
