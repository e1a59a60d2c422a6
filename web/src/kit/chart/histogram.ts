/** How many values lie in [from, to); the last one also takes what lies at its end and beyond. */
export interface Bin {
  from: number
  to: number
  count: number
}

// Widths people read at a glance, seconds.
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

/** Durations in bins of one round width; extremes beyond the 98th percentile share the last bin. */
export function binsOf(seconds: readonly number[], most = 16): Bin[] {
  const sorted = seconds.filter((value) => value >= 0).sort((a, b) => a - b)
  if (sorted.length === 0) return []
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.98) - 1)] ?? 0
  const width = steps.find((step) => high / step < most) ?? Math.ceil(high / most / 86_400) * 86_400
  const bins = Array.from({ length: Math.floor(high / width) + 1 }, (_, i): Bin => ({ from: i * width, to: (i + 1) * width, count: 0 }))
  for (const value of sorted) {
    const bin = bins[Math.min(bins.length - 1, Math.floor(value / width))]
    if (bin) bin.count++
  }
  return bins
}
