import { useI18n } from 'vue-i18n'

type Rule = (value: string) => true | string

export interface UseFieldRulesReturn {
  required: Rule
  email: Rule
  /** Empty is right; + and 7 to 15 digits otherwise, with the usual marks between. */
  phone: Rule
  /** The number as the server stores it: +79991234567. */
  plainPhone: (value: string) => string
}

/** What inputs must look like before the server is asked; the server has the last word. */
export function useFieldRules(): UseFieldRulesReturn {
  const { t } = useI18n()
  const plainPhone = (value: string) => value.replace(/[\s().-]/g, '').replace(/^00/, '+')
  return {
    required: (value) => (typeof value === 'string' && value.trim() !== '') || t('form.required'),
    email: (value) => value === '' || /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(value.trim()) || t('form.notEmail'),
    phone: (value) => value === '' || /^\+[1-9]\d{6,14}$/.test(plainPhone(value)) || t('form.notPhone'),
    plainPhone,
  }
}
