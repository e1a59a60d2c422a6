import { type Ref, shallowRef } from 'vue'
import { ApiError, type Failure, failureOf } from '@/api/errors'
import { useProblemText } from '../useProblemText'

export interface UseFormOptions {
  /** The inputs of the form by the names the server uses; complaints about others are shown above it. */
  fields: readonly string[]
}

export interface UseFormReturn {
  busy: Readonly<Ref<boolean>>
  /** What is wrong with the whole, empty when nothing is. */
  problem: Ref<string>
  /** What is wrong with single inputs. */
  errors: Readonly<Ref<Readonly<Record<string, string>>>>
  failure: Readonly<Ref<Failure | undefined>>
  /** Runs the action once at a time; true when it went well. */
  run: (action: () => Promise<unknown>) => Promise<boolean>
  /** The complaint about an input was read: it is being changed. */
  clear: (field?: string) => void
}

/** Sends a form and keeps what the server says of it, beside the inputs it is about. */
export function useForm({ fields }: UseFormOptions): UseFormReturn {
  const busy = shallowRef(false)
  const problem = shallowRef('')
  const errors = shallowRef<Readonly<Record<string, string>>>({})
  const failure = shallowRef<Failure>()
  const { problemText, fieldText } = useProblemText()

  function explain(error: unknown) {
    failure.value = failureOf(error)
    // A complaint about locations[2].id is shown with the locations.
    const own = Object.entries(error instanceof ApiError ? error.fields : {})
      .map(([field, message]) => [field.replace(/[[.].*$/, ''), message] as const)
      .filter(([field]) => fields.includes(field))
    errors.value = Object.fromEntries(own.map(([field, message]) => [field, fieldText(field, message)]))
    if (own.length === 0) problem.value = problemText(error)
  }

  async function run(action: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    clear()
    try {
      await action()
      return true
    } catch (error) {
      explain(error)
      return false
    } finally {
      busy.value = false
    }
  }

  function clear(field?: string) {
    if (field !== undefined && !(field in errors.value)) return
    errors.value = field === undefined ? {} : Object.fromEntries(Object.entries(errors.value).filter(([name]) => name !== field))
    if (field !== undefined) return
    problem.value = ''
    failure.value = undefined
  }

  return { busy, problem, errors, failure, run, clear }
}
