/** From how many tags on a zone is coloured as which level; the legend says the same. */
export const occupancyLevels = [0, 1, 3, 6, 11] as const

/** The level of a count: 0 for an empty zone, 4 for the fullest. */
export function levelOf(tags: number): number {
  let level = 0
  occupancyLevels.forEach((from, index) => {
    if (tags >= from) level = index
  })
  return level
}

/** What the legend writes at a level: "0", "1–2", … "11+". */
export function levelLabel(level: number): string {
  const from = occupancyLevels[level] ?? 0
  const next = occupancyLevels[level + 1]
  if (next === undefined) return `${from}+`
  return next - 1 === from ? `${from}` : `${from}–${next - 1}`
}
