import { addDays, dayOf, localOf, momentOf } from '../zonedTime'

/** A stretch of time in one lane. Times in milliseconds. */
export interface Stay {
  id: string
  lane: string
  from: number
  to: number
  /** It goes on: its end is only what is known so far. */
  open: boolean
}

export interface Lane {
  id: string
  stays: Stay[]
  /** Milliseconds in it altogether, within the range. */
  totalMs: number
}

/** Stays cut to a range, by lane; the lane entered first is on top. */
export function lanesOf(stays: readonly Stay[], from: number, to: number): Lane[] {
  const lanes = new Map<string, Lane>()
  const inside = stays.filter((stay) => stay.to > from && stay.from < to).sort((a, b) => a.from - b.from)
  for (const stay of inside) {
    const cut = { ...stay, from: Math.max(from, stay.from), to: Math.min(to, stay.to) }
    const lane = lanes.get(stay.lane) ?? { id: stay.lane, stays: [], totalMs: 0 }
    lane.stays.push(cut)
    lane.totalMs += cut.to - cut.from
    lanes.set(stay.lane, lane)
  }
  return [...lanes.values()]
}

const hourMs = 3_600_000
const stepsH = [1, 2, 3, 4, 6, 12, 24]

/**
 * Round clock times of a zone within a range, at most about `most`. They are
 * full hours there, also on days of 23 or 25 hours, and where clocks are half an
 * hour off.
 */
export function ticksOf(from: number, to: number, zone: string, most: number): number[] {
  // An hour more or less in a day of the clock's change asks for no other step.
  const hours = Math.max(1, (to - from) / hourMs - 1)
  const stepH = stepsH.find((step) => hours / step <= most) ?? 24 * Math.ceil(hours / 24 / most)
  const ticks = new Set<number>()
  const end = addDays(dayOf(to, zone), 1)
  const stepDays = Math.max(1, stepH / 24)
  for (let day = dayOf(from, zone); day < end; day = addDays(day, stepDays)) {
    for (let hour = 0; hour < 24; hour += stepH) {
      const local = `${day}T${String(hour).padStart(2, '0')}:00`
      const at = momentOf(local, zone)
      // A time that the clock leaves out is no tick.
      if (at >= from && at <= to && localOf(at, zone) === local) ticks.add(at)
    }
  }
  return [...ticks]
}
