/** Every language of the console, in the order of its menu. To add one: its code here, and the locale files the compiler then asks for. */
export const languages = ['en', 'ru'] as const
export type Language = (typeof languages)[number]

/** How each language calls itself. */
export const languageNames: Record<Language, string> = { en: 'English', ru: 'Русский' }
