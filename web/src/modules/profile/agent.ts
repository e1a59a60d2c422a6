// In this order: Edge and Opera call themselves Chrome as well, and Chrome Safari.
const browsers: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\/(\d+)/, 'Edge'], [/OPR\/(\d+)/, 'Opera'], [/YaBrowser\/(\d+)/, 'Yandex Browser'],
  [/(Firefox|FxiOS)\/(\d+)/, 'Firefox'], [/(Headless)?(Chrome|CriOS)\/(\d+)/, 'Chrome'], [/Safari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'], [/Android/, 'Android'], [/Windows/, 'Windows'], [/Mac OS X|Macintosh/, 'macOS'], [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux'],
]

/** "Chrome, Windows" for what a browser says of itself; the first word for other programs. */
export function agentName(agent: string): string {
  const find = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(agent))?.[1]
  const parts = [find(browsers), find(systems)].filter(Boolean)
  return parts.length > 0 ? parts.join(', ') : (agent.split(/[\s/]/)[0] ?? '')
}

export function isPhone(agent: string): boolean {
  return /Mobi|Android|iPhone/.test(agent)
}
