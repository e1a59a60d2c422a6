import { createApp, defineComponent, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/errors'
import { useForm, type UseFormReturn } from '.'

const problem = { forbidden: 'No right', failed: 'Failed', failedWith: 'Failed {id}', limited: 'Wait {wait}', conflict: 'Conflict', invalid: 'Invalid', field: { email: 'Неверная почта' } }

function form(locale = 'en'): UseFormReturn {
  let made!: UseFormReturn
  const app = createApp(defineComponent({
    setup() {
      made = useForm({ fields: ['email', 'locations'] })
      return () => h('div')
    },
  }))
  app.use(createI18n({ legacy: false, locale, messages: { en: { problem }, ru: { problem } } })).mount(document.createElement('div'))
  return made
}

const fails = (error: unknown) => () => Promise.reject(error)

describe('useForm', () => {
  it('puts complaints beside the inputs it has', async () => {
    const { run, errors, problem: whole } = form()
    expect(await run(fails(new ApiError('invalid', 'email: is taken', undefined, { email: 'is taken', secret: 'unknown' })))).toBe(false)
    expect(errors.value).toEqual({ email: 'Is taken' })
    expect(whole.value).toBe('')
  })

  it('says above the form what belongs to no input of it', async () => {
    const { run, errors, problem: whole } = form()
    await run(fails(new ApiError('conflict', 'the last owner must stay', undefined, { role_of: 'x' })))
    expect(errors.value).toEqual({})
    expect(whole.value).toBe('The last owner must stay')
  })

  it('names the request of an internal error, and the wait of a limit', async () => {
    const { run, problem: whole } = form()
    await run(fails(new ApiError('failed', 'HTTP 500', undefined, {}, 'r-1')))
    expect(whole.value).toBe('Failed r-1')
    await run(fails(new ApiError('limited', '', 125)))
    expect(whole.value).toBe('Wait 2:05')
  })

  it('speaks the language of the page where it can', async () => {
    const { run, errors } = form('ru')
    await run(fails(new ApiError('invalid', 'x', undefined, { email: 'is taken', 'locations[2].id': 'x' })))
    expect(errors.value.email).toBe('Неверная почта')
  })

  it('runs one action at a time and forgets old complaints', async () => {
    const { run, busy, errors, clear } = form()
    let finish!: () => void
    const first = run(() => new Promise<void>((resolve) => (finish = resolve)))
    expect(busy.value).toBe(true)
    expect(await run(() => Promise.resolve())).toBe(false)
    finish()
    expect(await first).toBe(true)
    await run(fails(new ApiError('invalid', '', undefined, { email: 'bad' })))
    clear('email')
    expect(errors.value).toEqual({})
  })
})
