import L from 'leaflet'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CrowdLayer, type Dot } from './crowdLayer'

const dots: Dot[] = [{ at: { x: 1, y: 1 }, look: 'person', round: true, initials: 'MB' }]
let written: { font: string; text: string }[] = []

beforeEach(() => {
  written = []
  // Canvases of this environment draw nothing: this one tells what is written.
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation((() => {
    const context = { font: '', fillText: (text: string) => written.push({ font: context.font, text }) }
    return new Proxy(context, { get: (target, name) => Reflect.get(target, name) ?? (() => undefined) })
  }) as never)
  vi.stubGlobal('devicePixelRatio', 1)
  Object.defineProperty(document, 'fonts', { value: new EventTarget(), configurable: true })
})

afterEach(() => {
  vi.unstubAllGlobals()
  Reflect.deleteProperty(document, 'fonts')
})

function layer(onStale = () => undefined) {
  const element = document.createElement('div')
  Object.defineProperties(element, { clientWidth: { value: 400 }, clientHeight: { value: 300 } })
  return new CrowdLayer(L.map(element, { crs: L.CRS.Simple }).setView([0, 0], 0), onStale)
}

it('makes a picture once for each kind of screen', () => {
  const crowd = layer()
  crowd.draw(dots, 'avatar')
  crowd.draw(dots, 'avatar')
  expect(written).toEqual([{ font: "700 10px 'Inter Variable', sans-serif", text: 'MB' }])
  vi.stubGlobal('devicePixelRatio', 2)
  crowd.draw(dots, 'avatar')
  expect(written.length).toBe(2)
})

it('writes anew what was written before its font came', () => {
  const onStale = vi.fn()
  const crowd = layer(onStale)
  crowd.draw(dots, 'avatar')
  document.fonts.dispatchEvent(new Event('loadingdone'))
  expect(onStale).toHaveBeenCalledOnce()
  crowd.draw(dots, 'avatar')
  expect(written.length).toBe(2)
  crowd.remove()
  document.fonts.dispatchEvent(new Event('loadingdone'))
  expect(onStale).toHaveBeenCalledOnce()
})
