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

  it('has to be placed again after each change', () => {
    const marker = new TagMarker(tag(), letter)
    marker.isPlaced = true
    marker.update(marker.tag, 0, letter, true)
    expect(marker.isPlaced).toBe(true)
    marker.update(tag({ x: 4 }), 0, letter, true)
    expect(marker.isPlaced).toBe(false)
    marker.moveTo({ x: 10, y: -20 })
    expect(marker.element.style.transform).toBe('translate(10.0px, -20.0px)')
  })

  it('dims what is stale, and keeps its label and that it is chosen', () => {
    const marker = new TagMarker(tag(), letter)
    marker.attach(document.createElement('div'))
    marker.showLabel(1)
    marker.element.classList.add('is-selected')
    marker.update(tag({ stale: true }), 0, letter, true)
    expect([...marker.element.classList]).toEqual(expect.arrayContaining(['is-stale', 'has-label', 'is-left', 'is-selected', 'tag--person']))
    marker.showLabel(undefined)
    expect(marker.element.classList.contains('has-label')).toBe(false)
  })

  it('is written when it comes onto the map, and not before', () => {
    const marker = new TagMarker(tag(), letter)
    const pane = document.createElement('div')
    marker.update(tag({ name: 'Anna', x: 7 }), 0, letter, false)
    expect(marker.element.dataset.xM).toBe('1.00')
    marker.attach(pane)
    expect(marker.element.dataset.xM).toBe('7.00')
    expect(pane.textContent).toBe('AAnna, -65 dB')
    marker.detach()
    expect(pane.childElementCount).toBe(0)
  })

  it('draws an unknown type like an asset, and text as text', () => {
    const { element } = new TagMarker(tag({ type: 'drone"><b>', name: '<img src=x>' }), letter)
    expect(element.className).not.toContain('tag--')
    expect(element.querySelector('img')).toBeNull()
  })
})
