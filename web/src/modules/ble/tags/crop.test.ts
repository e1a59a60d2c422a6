import { describe, expect, it } from 'vitest'
import { dragged, maxZoom, squareOf, whole, zoomed } from './crop'

describe('a crop', () => {
  it('is the middle of the picture at first', () => {
    expect(squareOf(whole, 400, 200)).toEqual({ left: 100, top: 0, side: 200 })
    expect(squareOf(whole, 200, 400)).toEqual({ left: 0, top: 100, side: 200 })
  })

  it('follows the hand, at the scale of the screen', () => {
    const crop = dragged(whole, { x: 50, y: 0 }, 100, 400, 200)
    expect(squareOf(crop, 400, 200)).toEqual({ left: 0, top: 0, side: 200 })
  })

  it('never leaves the picture, and comes back at once', () => {
    const away = dragged(whole, { x: -9999, y: 9999 }, 100, 400, 200)
    expect(squareOf(away, 400, 200)).toEqual({ left: 200, top: 0, side: 200 })
    expect(squareOf(dragged(away, { x: 10, y: 0 }, 100, 400, 200), 400, 200).left).toBeCloseTo(180)
  })

  it('enlarges around its centre, within bounds', () => {
    expect(squareOf(zoomed(whole, 2, 400, 200), 400, 200)).toEqual({ left: 150, top: 50, side: 100 })
    expect(zoomed(whole, 99, 400, 200).zoom).toBe(maxZoom)
    expect(zoomed(whole, 0.1, 400, 200).zoom).toBe(1)
    const corner = dragged(zoomed(whole, 4, 400, 400), { x: 9999, y: 9999 }, 100, 400, 400)
    expect(squareOf(zoomed(corner, 1, 400, 400), 400, 400)).toEqual({ left: 0, top: 0, side: 400 })
  })
})
