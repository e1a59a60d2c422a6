/** A picture of dark and light: one byte a pixel, 1 is dark; rows from the top. */
export interface Bitmap {
  width: number
  height: number
  bits: Uint8Array
}

export const emptyBitmap = (width: number, height: number): Bitmap => ({ width, height, bits: new Uint8Array(width * height) })

/** Dark is what is darker than the level, 0 to 1, on white paper. */
export function darker(pixels: ArrayLike<number>, width: number, height: number, level: number): Bitmap {
  const map = emptyBitmap(width, height)
  for (let i = 0; i < map.bits.length; i++) {
    const [r, g, b, a] = [pixels[i * 4] ?? 0, pixels[i * 4 + 1] ?? 0, pixels[i * 4 + 2] ?? 0, (pixels[i * 4 + 3] ?? 0) / 255]
    const light = (0.299 * r + 0.587 * g + 0.114 * b) * a + 255 * (1 - a)
    map.bits[i] = light < level * 255 ? 1 : 0
  }
  return map
}

export interface Region {
  pixels: number[]
  minX: number
  minY: number
  maxX: number
  maxY: number
}

/** Everything that hangs together, by sides or also by corners. */
export function regionsOf({ width, height, bits }: Bitmap, value: 0 | 1, corners: boolean): Region[] {
  const seen = new Uint8Array(bits.length)
  const steps = corners ? [-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1] : [-1, 1, -width, width]
  const regions: Region[] = []
  for (let start = 0; start < bits.length; start++) {
    if (seen[start] || bits[start] !== value) continue
    const pixels = [start]
    seen[start] = 1
    for (let i = 0; i < pixels.length; i++) {
      const at = pixels[i] as number
      for (const step of steps) {
        const next = at + step
        // A step over the left or right edge ends in another row's far end.
        if (next < 0 || next >= bits.length || Math.abs((next % width) - (at % width)) > 1 || seen[next] || bits[next] !== value) continue
        seen[next] = 1
        pixels.push(next)
      }
    }
    regions.push(boxed(pixels, width, height))
  }
  return regions
}

function boxed(pixels: number[], width: number, height: number): Region {
  const region = { pixels, minX: width, minY: height, maxX: 0, maxY: 0 }
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)]
    region.minX = Math.min(region.minX, x)
    region.maxX = Math.max(region.maxX, x)
    region.minY = Math.min(region.minY, y)
    region.maxY = Math.max(region.maxY, y)
  }
  return region
}

/** Without what is small: letters, furniture, dust. */
export function withoutSmall(map: Bitmap, sidePx: number): Bitmap {
  const kept = emptyBitmap(map.width, map.height)
  for (const region of regionsOf(map, 1, true)) {
    if (Math.max(region.maxX - region.minX, region.maxY - region.minY) + 1 < sidePx) continue
    for (const at of region.pixels) kept.bits[at] = 1
  }
  return kept
}

/** Every pixel takes the greatest (or least) value of a square around it; what is outside counts as light. */
function spread(map: Bitmap, radius: number, dark: boolean): Bitmap {
  return pass(pass(map, radius, dark, 1, map.width), radius, dark, map.width, map.height)
}

// One direction at a time: a count of dark pixels in a window that slides along.
function pass({ width, height, bits }: Bitmap, radius: number, dark: boolean, step: number, length: number): Bitmap {
  const out = emptyBitmap(width, height)
  const lines = bits.length / length
  const needed = dark ? 1 : radius * 2 + 1
  for (let line = 0; line < lines; line++) {
    const start = step === 1 ? line * width : line
    let count = 0
    for (let i = -radius; i < length; i++) {
      if (i + radius < length) count += bits[start + (i + radius) * step] as number
      if (i - radius - 1 >= 0) count -= bits[start + (i - radius - 1) * step] as number
      if (i >= 0) out.bits[start + i * step] = count >= needed ? 1 : 0
    }
  }
  return out
}

/** Fills gaps in what is dark that are narrower than twice the radius, such as doors in walls. */
export function closeGaps(map: Bitmap, radius: number): Bitmap {
  if (radius < 1) return map
  // With room around: otherwise what is dark at the picture's edge would be eaten away.
  const wide = padded(map, radius + 1)
  return padded(spread(spread(wide, radius, true), radius, false), -(radius + 1))
}

function padded({ width, height, bits }: Bitmap, by: number): Bitmap {
  const out = emptyBitmap(width + 2 * by, height + 2 * by)
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) {
      const [fromX, fromY] = [x - by, y - by]
      if (fromX >= 0 && fromY >= 0 && fromX < width && fromY < height) out.bits[y * out.width + x] = bits[fromY * width + fromX] as number
    }
  }
  return out
}

/** Smaller by a whole factor; dark wins, so that thin walls stay closed. */
export function smaller({ width, height, bits }: Bitmap, factor: number): Bitmap {
  const out = emptyBitmap(Math.ceil(width / factor), Math.ceil(height / factor))
  bits.forEach((bit, i) => {
    if (bit) out.bits[Math.floor(Math.floor(i / width) / factor) * out.width + Math.floor((i % width) / factor)] = 1
  })
  return out
}
