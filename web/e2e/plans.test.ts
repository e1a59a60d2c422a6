import { deflateSync } from 'node:zlib'
import type { APIRequestContext, Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serious } from './axe'
import { closePages, launch, server, type WatchedPage } from './browser'
import { adminApi, customer, logIn, openAs, password, sent } from './people'

interface Pair { x: number; y: number }
interface ServerPlan {
  id: string
  bounds: { max: Pair }
  drawing: { walls: number[][][]; rooms: { polygon: number[][] }[] }
  zones: { id: string; name: string; number: number; polygon: number[][] }[]
  version: number
}

let browser: Browser
let owner: string
let api: APIRequestContext

beforeAll(async () => {
  browser = await launch()
  owner = (await customer(await adminApi())).owner
  api = await logIn(owner, password)
})
afterEach(closePages)
afterAll(() => browser.close())

const stateOf = (page: Page) => page.getAttribute('[data-testid=save-state]', 'data-state')
// It is saved when the person rests, and then has to travel.
const patient = { timeout: 20_000 }
const saved = (page: Page) => expect.poll(() => stateOf(page), patient).toBe('saved')
const planNow = (id: string) => sent<ServerPlan>(api.get(`/api/v1/client/ble/plans/${id}`))

let serial = 0

/** A plan of 20 by 15 metres, and the page of its owner on it. */
async function openPlan(): Promise<WatchedPage & { id: string }> {
  const name = `Site ${++serial}`
  const location = await sent<{ id: string }>(api.post('/api/v1/client/locations', { data: { name, time_zone: 'Europe/Berlin' } }))
  const data = { location_id: location.id, name: 'Ground floor', bounds: { min: { x: 0, y: 0 }, max: { x: 20, y: 15 } }, zones_by: 'position' }
  const { id } = await sent<{ id: string }>(api.post('/api/v1/client/ble/plans', { data }))
  const watched = await openAs(browser, owner)
  await watched.page.goto(`${server}/plans/${id}`)
  await watched.page.waitForSelector('.plan-floor', { state: 'attached' })
  return { ...watched, id }
}

/** Presses the plan at places in metres; Alt: exactly there. */
async function press(page: Page, ...places: [number, number][]): Promise<void> {
  const box = await page.locator('.plan-floor').boundingBox()
  if (!box) throw new Error('the plan is not seen')
  await page.keyboard.down('Alt')
  for (const [x, y] of places) await page.mouse.click(box.x + (x / 20) * box.width, box.y + box.height - (y / 15) * box.height)
  await page.keyboard.up('Alt')
}

async function wall(page: Page, ...places: [number, number][]): Promise<void> {
  await page.keyboard.press('w')
  await press(page, ...places)
  await page.keyboard.press('Enter')
}

describe('locations and plans', () => {
  it('lead from nothing to a drawn plan', async () => {
    const { page, problems } = await openAs(browser, (await customer(await adminApi())).owner)
    await page.goto(`${server}/plans`)
    await page.getByRole('button', { name: 'New location' }).click()
    await page.getByLabel('Name').fill('Warehouse North')
    await page.getByLabel('Address').fill('Quay 3')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('Quay 3').waitFor()
    await page.getByRole('button', { name: 'New plan' }).click()
    await page.getByLabel('Width, m').fill('30')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL(/\/plans\/[0-9a-f-]{36}/)
    await page.waitForSelector('.plan-floor', { state: 'attached' })
    expect(await serious(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.goto(`${server}/plans`)
    await page.locator('[data-plan]').waitFor()
    expect(await serious(page)).toEqual([])
    expect(problems).toEqual([])
  })
})

describe('the editor', () => {
  it('saves what is drawn, undoes and redoes it', async () => {
    const { page, id, problems } = await openPlan()
    await wall(page, [2, 2], [10, 2], [10, 8])
    await saved(page)
    await expect.poll(async () => (await planNow(id)).drawing.walls.length, patient).toBe(1)
    expect((await planNow(id)).drawing.walls[0]?.length).toBe(3)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+z')
    await expect.poll(async () => (await planNow(id)).drawing.walls.length, patient).toBe(0)
    await page.keyboard.press('Control+Shift+z')
    await expect.poll(async () => (await planNow(id)).drawing.walls.length, patient).toBe(1)
    expect(problems).toEqual([])
  })

  it('draws zones, numbers them, and refuses one that crosses itself', async () => {
    const { page, id } = await openPlan()
    await page.keyboard.press('z')
    await press(page, [2, 2], [8, 8], [8, 2], [2, 8])
    await page.keyboard.press('Enter')
    await page.getByText('The border crosses itself').waitFor()
    expect(await page.locator('.edit-crossing').count()).toBe(1)
    await page.keyboard.press('Escape')
    await press(page, [2, 2], [8, 2], [8, 8], [2, 8])
    await page.keyboard.press('Enter')
    await page.locator('input[name=zone-name]').fill('Canteen')
    await expect.poll(async () => (await planNow(id)).zones.map(({ name, number }) => [name, number]), patient).toEqual([['Canteen', 1]])
    await saved(page)
  })

  it('is drawn with the keyboard alone', async () => {
    const { page, id } = await openPlan()
    await page.locator('.edit-map').focus()
    for (const key of ['w', 'ArrowLeft', ' ', 'Shift+ArrowRight', ' ', 'Enter']) await page.keyboard.press(key === ' ' ? 'Space' : key)
    await expect.poll(async () => (await planNow(id)).drawing.walls.length, patient).toBe(1)
  })

  it('loses nothing and saves nothing twice when the network drops', async () => {
    const { page, context, id } = await openPlan()
    await wall(page, [2, 2], [10, 2])
    await saved(page)
    const before = (await planNow(id)).version
    await context.setOffline(true)
    await page.keyboard.press('z')
    await press(page, [2, 4], [8, 4], [8, 8])
    await page.keyboard.press('Enter')
    await expect.poll(() => stateOf(page), patient).toBe('waiting')
    await page.getByText('Not saved: offline, will try again').waitFor()
    await context.setOffline(false)
    await saved(page)
    const after = await planNow(id)
    expect([after.zones.length, after.drawing.walls.length, after.version]).toEqual([1, 1, before + 1])
  })

  it('does nothing twice when the answer is lost', async () => {
    const { page, id } = await openPlan()
    let lost = 0
    await page.route(/\/zones$/, async (route) => {
      // The server has done it; the page never hears of that.
      if (lost++ === 0) await route.fetch()
      if (lost === 1) await route.abort()
      else await route.continue()
    })
    await page.keyboard.press('z')
    await press(page, [2, 4], [8, 4], [8, 8])
    await page.keyboard.press('Enter')
    await expect.poll(() => lost, patient).toBe(2)
    await saved(page)
    expect((await planNow(id)).zones.length).toBe(1)
  })

  it('offers after a reload what did not reach the server', async () => {
    const { page, id } = await openPlan()
    await page.route(/\/drawing$/, (route) => route.abort())
    await wall(page, [2, 2], [10, 2])
    await expect.poll(() => stateOf(page), patient).toBe('waiting')
    page.on('dialog', (dialog) => void dialog.accept())
    await page.reload()
    await page.getByText('did not reach the server').waitFor()
    expect((await planNow(id)).drawing.walls.length).toBe(0)
    await page.unroute(/\/drawing$/)
    await page.getByRole('button', { name: 'Take them up' }).click()
    await saved(page)
    expect((await planNow(id)).drawing.walls.length).toBe(1)
  })

  it.each([['Take theirs', 0], ['Keep mine', 1]])('says who changed it meanwhile: %s', async (choice, walls) => {
    const { page, id } = await openPlan()
    const zone = { name: 'Theirs', polygon: [[1, 1], [3, 1], [3, 3]] }
    await sent(api.post(`/api/v1/client/ble/plans/${id}/zones`, { data: zone }))
    await wall(page, [2, 5], [10, 5])
    await page.locator('[data-testid=conflict]').waitFor()
    expect(await page.locator('[data-testid=conflict]').textContent()).toContain(owner)
    await page.getByRole('button', { name: choice }).click()
    await saved(page)
    const now = await planNow(id)
    expect([now.zones.length, now.drawing.walls.length]).toEqual([1, walls])
    await expect.poll(() => page.locator('.edit-zone').count(), patient).toBe(1)
  })

  it('sets the scale by a line of known length', async () => {
    const { page, id } = await openPlan()
    await wall(page, [2, 2], [12, 2])
    await saved(page)
    await page.keyboard.press('Escape')
    await page.keyboard.press('m')
    await press(page, [2, 2], [12, 2])
    await page.getByLabel('True length').fill('20')
    await page.getByRole('button', { name: 'Set the scale' }).click()
    await expect.poll(async () => (await planNow(id)).bounds.max.x, patient).toBeCloseTo(40, 0)
    await saved(page)
  })
})

describe('a picture', () => {
  it('is traced with a preview, and taken over', async () => {
    const { page, id, problems } = await openPlan()
    await page.locator('[data-panel=picture]').click()
    await page.setInputFiles('input[type=file]', { name: 'floor.png', mimeType: 'image/png', buffer: floorPicture() })
    await page.getByRole('button', { name: 'Trace walls and rooms' }).click()
    await page.getByText(/Walls: [1-9]\d*, rooms: 2/).waitFor({ timeout: 40_000 })
    await page.getByRole('button', { name: 'Take over' }).click()
    await saved(page)
    const { drawing } = await planNow(id)
    expect(drawing.rooms.length).toBe(2)
    expect(drawing.walls.length).toBeGreaterThan(2)
    expect(problems).toEqual([])
  })
})

describe('a phone', () => {
  it('shows the plan, says why it cannot be drawn here, and is not too wide', async () => {
    const { page } = await openPlan()
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByText('drawing needs a wider screen').waitFor()
    expect(await page.locator('.tool-bar').count()).toBe(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(1)
  })
})

/** A PNG of a floor with two rooms: grey levels, walls of 8 pixels. */
function floorPicture(): Buffer {
  const [width, height] = [400, 300]
  const isWall = (x: number, y: number) => x >= 30 && x < 370 && y >= 30 && y < 270 && (x < 38 || x >= 362 || y < 38 || y >= 262 || (x >= 196 && x < 204))
  const rows = Array.from({ length: height }, (_, y) => Buffer.from([0, ...Array.from({ length: width }, (_, x) => (isWall(x, y) ? 0 : 255))]))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc(body))
  return Buffer.concat([length, body, sum])
}

function crc(data: Buffer): number {
  let value = 0xffffffff
  for (const byte of data) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0)
  }
  return (value ^ 0xffffffff) >>> 0
}
