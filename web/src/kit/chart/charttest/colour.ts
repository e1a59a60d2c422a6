// How colours look to people, for the tests of the palettes.

export type Vision = 'full' | 'protan' | 'deutan' | 'tritan'
export const visions: readonly Vision[] = ['full', 'protan', 'deutan', 'tritan']

type Triple = readonly [number, number, number]

// Machado, Oliveira, Fernandes: "A physiologically-based model for simulation
// of color vision deficiency", 2009, at full severity, on linear light.
const seenAs: Record<Vision, readonly Triple[]> = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}

function linear(hex: string): Triple {
  return [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as unknown as Triple
}

const dot = (a: Triple, b: Triple) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

function perceived(hex: string, vision: Vision): Triple {
  const light = linear(hex)
  return seenAs[vision].map((row) => Math.min(1, Math.max(0, dot(row, light)))) as unknown as Triple
}

/** Ottosson's Oklab: lightness from 0 to 1, and two axes of colour. */
export function oklab(hex: string, vision: Vision = 'full'): Triple {
  const rgb = perceived(hex, vision)
  const l = Math.cbrt(dot([0.4122214708, 0.5363325363, 0.0514459929], rgb))
  const m = Math.cbrt(dot([0.2119034982, 0.6806995451, 0.1073969566], rgb))
  const s = Math.cbrt(dot([0.0883024619, 0.2817188376, 0.6299787005], rgb))
  const cone: Triple = [l, m, s]
  return [
    dot([0.2104542553, 0.793617785, -0.0040720468], cone),
    dot([1.9779984951, -2.428592205, 0.4505937099], cone),
    dot([0.0259040371, 0.7827717662, -0.808675766], cone),
  ]
}

/** How far apart two colours look; 0.02 is barely seen, 0.1 told apart at a glance. */
export function distance(a: string, b: string, vision: Vision): number {
  const [p, q] = [oklab(a, vision), oklab(b, vision)]
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}

/** The contrast of WCAG 2, from 1 to 21. */
export function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [a, b].map((hex) => dot([0.2126, 0.7152, 0.0722], linear(hex))).sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}
