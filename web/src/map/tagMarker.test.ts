import { describe, expect, it } from 'vitest'
import { TagMarker } from './tagMarker'
import type { MapTag } from './types'

const tag = (change: Partial<MapTag> = {}): MapTag => ({ id: 'a', type: 'person', name: 'Maria', signal: ', -65 dB', x: 1, y: 2, accuracyM: 2, stale: false, ...change })
const letter = (name: string) => name.slice(0, 1)

describe('TagMarker', () => {
  it('writes who it is and where', () => {
    const { element } = new TagMarker(tag(), letter)
    expect(element.textContent).toBe('MMaria, -65 dB')
    expect(element.dataset).toMatchObject({ tag: 'a', xM: '1.00', yM: '2.00' })
    expect(element.className).toContain('tag--person')
  })

  it('walks to a new fix, or is there at once without animation', () => {
    const walking = new TagMarker(tag(), letter)
    const next = tag({ x: 3 })
    walking.update(next, 1000, letter, true)
    expect(walking.position(1000).x).toBe(1)
    expect(walking.position(9000).x).toBe(3)
    const jumping = new TagMarker(tag(), letter)
    jumping.update(next, 1000, letter, false)
    expect(jumping.position(1000).x).toBe(3)
  })

  it('dims what is stale and keeps its label', () => {
    const marker = new TagMarker(tag(), letter)
    marker.showLabel(1)
    marker.update(tag({ stale: true }), 0, letter, true)
    expect([...marker.element.classList]).toEqual(expect.arrayContaining(['is-stale', 'has-label', 'is-left']))
    marker.showLabel(undefined)
    expect(marker.element.classList.contains('has-label')).toBe(false)
  })

  it('draws the accuracy to scale', () => {
    const marker = new TagMarker(tag(), letter)
    marker.sizeRing(25)
    expect(marker.element.querySelector('i')?.style.width).toBe('100px')
  })

  it('draws an unknown type like an asset, and text as text', () => {
    const { element } = new TagMarker(tag({ type: 'drone"><b>', name: '<img src=x>' }), letter)
    expect(element.className).toContain('tag--asset')
    expect(element.querySelector('img')).toBeNull()
  })
})
