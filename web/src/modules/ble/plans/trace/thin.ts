import type { Bitmap } from './bitmap'

/**
 * Thins what is dark to lines of one pixel that hang together as before
 * (Zhang and Suen, 1984). The picture's outermost pixels are taken as light.
 */
export function thin({ width, height, bits }: Bitmap): Bitmap {
  const out = bits.slice()
  clearFrame(out, width, height)
  let alive = indices(out)
  for (let removed = true; removed;) {
    removed = false
    for (const phase of [0, 1] as const) {
      const gone = alive.filter((i) => isRemovable(out, i, width, phase))
      for (const i of gone) out[i] = 0
      if (gone.length > 0) {
        removed = true
        alive = alive.filter((i) => out[i] === 1)
      }
    }
  }
  return { width, height, bits: out }
}

function clearFrame(bits: Uint8Array, width: number, height: number): void {
  bits.fill(0, 0, width)
  bits.fill(0, (height - 1) * width)
  for (let y = 0; y < height; y++) bits[y * width] = bits[y * width + width - 1] = 0
}

function indices(bits: Uint8Array): number[] {
  const found: number[] = []
  bits.forEach((bit, i) => bit && found.push(i))
  return found
}

function isRemovable(bits: Uint8Array, i: number, width: number, phase: 0 | 1): boolean {
  const bit = (at: number) => bits[at] as number
  const [n, e, s, w] = [bit(i - width), bit(i + 1), bit(i + width), bit(i - 1)]
  const ring = [n, bit(i - width + 1), e, bit(i + width + 1), s, bit(i + width - 1), w, bit(i - width - 1)]
  let count = 0
  let rises = 0
  for (let k = 0; k < 8; k++) {
    count += ring[k] as number
    if (ring[k] === 0 && ring[(k + 1) % 8] === 1) rises++
  }
  if (count < 2 || count > 6 || rises !== 1) return false
  return phase === 0 ? n * e * s === 0 && e * s * w === 0 : n * e * w === 0 && n * s * w === 0
}
