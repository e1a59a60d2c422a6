const key = 'mybeacon.place'

export interface Place {
  location: string
  plan: string
}

/** Where this browser was last, so that the map opens there again. */
export function rememberPlace(place: Place): void {
  try {
    localStorage.setItem(key, JSON.stringify(place))
  } catch {
    // Storage is forbidden: the map opens at the first place then.
  }
}

export function lastPlace(): Place | undefined {
  try {
    const place: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    const { location, plan } = (place ?? {}) as Partial<Place>
    return typeof location === 'string' && typeof plan === 'string' ? { location, plan } : undefined
  } catch {
    return undefined
  }
}
