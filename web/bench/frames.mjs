import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

/**
 * Measures what the live map costs a browser: how long scripts run in each animation
 * frame, from a trace of headless Chromium.
 *
 *   npm run bench:frames -- --url http://127.0.0.1:8080 --email … --password-file FILE [--seconds 20] [--zoom 4]
 *
 * Prints one JSON line: tags, moving, frames, fps, script_p50_ms, script_p95_ms, script_max_ms.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    email: { type: 'string', default: 'admin@mybeacon.local' },
    'password-file': { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    zoom: { type: 'string', default: '0' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    screenshot: { type: 'string', default: '' },
  },
})

// What DevTools counts as scripting, and the events that stand for the whole of it.
const scripting = new Set(['FunctionCall', 'EvaluateScript', 'FireAnimationFrame', 'TimerFire', 'EventDispatch', 'RunMicrotasks', 'WebSocketReceive', 'v8.callFunction', 'MinorGC', 'MajorGC'])

async function trace(page, seconds) {
  const session = await page.context().newCDPSession(page)
  const events = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value))
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['devtools.timeline', 'v8', '__metadata'] } })
  await page.waitForTimeout(seconds * 1000)
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  await session.send('Tracing.end')
  await complete
  return events
}

/** Milliseconds of scripts between the beginnings of two animation frames, for each frame. */
function perFrame(events) {
  const isFrame = ({ name }) => name === 'FireAnimationFrame'
  // The page's own thread is the one with the most frames.
  const counts = new Map()
  for (const event of events.filter(isFrame)) counts.set(`${event.pid}/${event.tid}`, (counts.get(`${event.pid}/${event.tid}`) ?? 0) + 1)
  const [thread] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['']
  const own = events.filter(({ pid, tid }) => `${pid}/${tid}` === thread)
  const frames = own.filter(isFrame).map(({ ts }) => ts).sort((a, b) => a - b)
  const spent = frames.map(() => 0)
  let frame = 0
  let covered = 0
  for (const { ts, dur = 0, tdur = dur } of own.filter(({ name, ph }) => ph === 'X' && scripting.has(name)).sort((a, b) => a.ts - b.ts)) {
    // Nested events are in the outer one's time.
    const end = ts + dur
    if (end <= covered || dur === 0) continue
    const from = Math.max(ts, covered)
    covered = end
    while (frame + 1 < frames.length && frames[frame + 1] <= from) frame++
    // The thread's own time: what others took of the processor meanwhile is not the page's.
    spent[frame] += ((tdur / dur) * (end - from)) / 1000
  }
  return spent.slice(1, -1)
}

const quantile = (sorted, q) => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 100) / 100

const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, baseURL: values.url })
  const password = values['password-file'] ? (await readFile(values['password-file'], 'utf8')).trim() : (process.env.MYBEACON_ADMIN_PASSWORD ?? '')
  await page.goto('/login')
  await page.fill('input[type=email]', values.email)
  await page.fill('input[type=password]', password)
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => globalThis.location.pathname !== '/login', undefined, { timeout: 60_000 })
  await page.goto('/map')
  await page.locator('[data-testid=tag-count]').waitFor({ timeout: 90_000 })
  await page.waitForTimeout(5000)
  for (let i = 0; i < Number(values.zoom); i++) await page.locator('.plan-map').press('+')
  await page.waitForTimeout(2000)
  const count = await page.locator('[data-testid=tag-count]').innerText()
  const events = await trace(page, Number(values.seconds))
  if (values.screenshot) await page.screenshot({ path: values.screenshot })
  const spent = perFrame(events).sort((a, b) => a - b)
  const fps = Math.round(spent.length / Number(values.seconds))
  process.stdout.write(`${JSON.stringify({ tags: count, frames: spent.length, fps, script_p50_ms: quantile(spent, 0.5), script_p95_ms: quantile(spent, 0.95), script_max_ms: quantile(spent, 1) })}\n`)
} finally {
  await browser.close()
}
