import { describe, expect, it } from 'vitest'
import { back, begin, type DrawKind, finish, press, rectangle, type Stroke } from './draw'

const p = (x: number, y: number) => ({ x, y })

function drawAll(kind: DrawKind, ...pairs: [number, number][]) {
  let stroke: Stroke = begin(kind)
  for (const [x, y] of pairs) {
    const { stroke: next, done } = press(stroke, p(x, y), 0.2)
    if (done) return { stroke: next, done }
    stroke = next
  }
  return { stroke, done: undefined }
}

describe('press', () => {
  it('closes an area on its first corner', () => {
    const { stroke, done } = drawAll('room', [0, 0], [4, 0], [4, 4], [0.1, 0.1])
    expect(done).toEqual([p(0, 0), p(4, 0), p(4, 4)])
    expect(stroke.points).toEqual([])
  })

  it('does not close what has no area yet', () => {
    expect(drawAll('zone', [0, 0], [4, 0], [0.1, 0]).done).toBeUndefined()
  })

  it('ends a wall on its last corner, and closes a ring with its first', () => {
    expect(drawAll('wall', [0, 0], [4, 0], [4, 0]).done).toEqual([p(0, 0), p(4, 0)])
    expect(drawAll('wall', [0, 0], [4, 0], [4, 4], [0, 0]).done).toEqual([p(0, 0), p(4, 0), p(4, 4), p(0, 0)])
  })

  it.each(['door', 'scale'] as const)('ends a %s with its second point', (kind) => {
    expect(drawAll(kind, [0, 0], [1, 0]).done).toEqual([p(0, 0), p(1, 0)])
  })

  it('does not make a door without width', () => {
    expect(drawAll('door', [0, 0], [0, 0])).toMatchObject({ done: undefined, stroke: { points: [p(0, 0)] } })
  })
})

describe('finish and back', () => {
  it('end what is enough, and keep what is not', () => {
    expect(finish({ kind: 'room', points: [p(0, 0), p(1, 0)] }).done).toBeUndefined()
    expect(finish({ kind: 'room', points: [p(0, 0), p(1, 0), p(1, 1)] }).done).toHaveLength(3)
    expect(back({ kind: 'wall', points: [p(0, 0), p(1, 0)] }).points).toEqual([p(0, 0)])
  })
})

describe('rectangle', () => {
  it('has four right angles, or does not exist', () => {
    expect(rectangle(p(0, 0), p(3, 2))).toEqual([p(0, 0), p(3, 0), p(3, 2), p(0, 2)])
    expect(rectangle(p(0, 0), p(3, 0))).toBeUndefined()
  })
})
