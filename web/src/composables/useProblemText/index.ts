import { useI18n } from 'vue-i18n'
import { ApiError } from '@/api/errors'
import { waitText } from './wait'

export interface UseProblemTextReturn {
  /** A whole sentence for what went wrong, in the language of the page. */
  problemText: (error: unknown) => string
  /** The same for one input. */
  fieldText: (field: string, message: string) => string
}

/**
 * The server explains in English. Where this page speaks another language, its
 * own words for the input or the failure come first, if it has some.
 */
export function useProblemText(): UseProblemTextReturn {
  const { t, te, locale } = useI18n()

  function problemText(error: unknown): string {
    if (!(error instanceof ApiError)) return t('problem.failed')
    const { failure, message, requestId, retryAfter } = error
    if (failure === 'limited') return t('problem.limited', { wait: waitText(retryAfter ?? 60) })
    if (failure === 'failed') return requestId ? t('problem.failedWith', { id: requestId }) : t('problem.failed')
    // The server's own sentence says more than the kind of the failure.
    const hasSentence = ['invalid', 'conflict', 'forbidden'].includes(failure) && !message.startsWith('HTTP ')
    return hasSentence && locale.value === 'en' ? sentence(message) : t(`problem.${failure}`)
  }

  function fieldText(field: string, message: string): string {
    const key = `problem.field.${field}`
    return locale.value !== 'en' && te(key) ? t(key) : sentence(message)
  }

  return { problemText, fieldText }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
