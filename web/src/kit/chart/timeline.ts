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

const minuteMs = 60_000
const dayMin = 1440
const stepsMin = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720, dayMin]

/**
 * Round clock times of a zone within a range, at most about `most`. They are
 * round there, also on days of 23 or 25 hours, and where clocks are half an
 * hour off.
 */
export function ticksOf(from: number, to: number, zone: string, most: number): number[] {
  const minutes = (to - from) / minuteMs
  // An hour more or less in a day of the clock's change asks for no other step.
  const asked = minutes > dayMin / 2 ? minutes - 60 : minutes
  const step = stepsMin.find((size) => asked / size <= most) ?? dayMin * Math.ceil(asked / dayMin / most)
  const ticks = new Set<number>()
  const end = addDays(dayOf(to, zone), 1)
  for (let day = dayOf(from, zone); day < end; day = addDays(day, Math.max(1, step / dayMin))) {
    // Days of a short range are gone through by its minutes only where they are in it.
    const dayFrom = momentOf(`${day}T00:00`, zone)
    const first = Math.max(0, Math.floor((from - dayFrom) / minuteMs / step - 60 / step) * step)
    const last = Math.min(dayMin - 1, (to - dayFrom) / minuteMs + 60)
    for (let minute = first; minute <= last; minute += step) {
      const local = `${day}T${two(Math.floor(minute / 60))}:${two(minute % 60)}`
      const at = momentOf(local, zone)
      // A time that the clock leaves out is no tick.
      if (at >= from && at <= to && localOf(at, zone) === local) ticks.add(at)
    }
  }
  return [...ticks]
}

const two = (value: number) => String(value).padStart(2, '0')
