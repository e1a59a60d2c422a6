import { longestSidePx, trace, type Traced, type TraceSettings } from './trace'

export interface TraceRequest {
  id: number
  /** Only with the first request for a picture: it is kept. */
  file?: Blob
  settings: TraceSettings
}

export type TraceAnswer =
  | { id: number; traced: Traced; width: number; height: number }
  | { id: number; error: string }

let pixels: ImageData | undefined

/** Decodes the picture, no longer than is useful for tracing. */
async function decode(file: Blob): Promise<ImageData> {
  const whole = await createImageBitmap(file)
  const scale = Math.min(1, longestSidePx / Math.max(whole.width, whole.height))
  const [width, height] = [Math.max(1, Math.round(whole.width * scale)), Math.max(1, Math.round(whole.height * scale))]
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('no canvas')
  context.drawImage(whole, 0, 0, width, height)
  whole.close()
  return context.getImageData(0, 0, width, height)
}

async function answer({ file, settings }: TraceRequest) {
  if (file) pixels = await decode(file)
  if (!pixels) throw new Error('BUG: no picture')
  return { traced: trace(pixels, settings), width: pixels.width, height: pixels.height }
}

addEventListener('message', (event: MessageEvent<TraceRequest>) => {
  answer(event.data).then(
    (result) => postMessage({ id: event.data.id, ...result } satisfies TraceAnswer),
    (error: unknown) => postMessage({ id: event.data.id, error: String(error) } satisfies TraceAnswer),
  )
})
