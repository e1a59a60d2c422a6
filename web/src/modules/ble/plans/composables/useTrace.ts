import { onScopeDispose, type Ref, shallowRef } from 'vue'
import type { Traced, TraceSettings } from '../trace/trace'
import type { TraceAnswer, TraceRequest } from '../trace/trace.worker'

export interface UseTraceReturn {
  result: Readonly<Ref<{ traced: Traced; width: number; height: number } | undefined>>
  busy: Readonly<Ref<boolean>>
  failed: Readonly<Ref<boolean>>
  /** Traces the picture; an overtaken answer is dropped. */
  run: (file: Blob, settings: TraceSettings) => void
}

/** Tracing in a worker: the page stays awake. */
export function useTrace(): UseTraceReturn {
  const result = shallowRef<{ traced: Traced; width: number; height: number }>()
  const busy = shallowRef(false)
  const failed = shallowRef(false)
  let worker: Worker | undefined
  let known: Blob | undefined
  let last = 0

  function start(): Worker {
    const made = new Worker(new URL('../trace/trace.worker.ts', import.meta.url), { type: 'module' })
    made.onmessage = ({ data }: MessageEvent<TraceAnswer>) => take(data)
    made.onerror = () => fail()
    return made
  }

  function take(answer: TraceAnswer) {
    if (answer.id !== last) return
    busy.value = false
    failed.value = 'error' in answer
    if (!('error' in answer)) result.value = answer
  }

  function fail() {
    busy.value = false
    failed.value = true
  }

  function run(file: Blob, settings: TraceSettings) {
    worker ??= start()
    busy.value = true
    worker.postMessage({ id: ++last, settings, ...(file === known ? {} : { file }) } satisfies TraceRequest)
    known = file
  }

  onScopeDispose(() => worker?.terminate())
  return { result, busy, failed, run }
}
