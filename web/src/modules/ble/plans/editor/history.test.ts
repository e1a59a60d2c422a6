import { describe, expect, it } from 'vitest'
import { History, maxSteps } from './history'

describe('History', () => {
  it('goes back and forth', () => {
    const history = new History(0)
    for (const state of [1, 2, 3]) history.push(state)
    expect([history.undo(), history.present, history.undo(), history.present]).toEqual([true, 2, true, 1])
    expect([history.redo(), history.present, history.canRedo]).toEqual([true, 2, true])
  })

  it('forgets the way forth with a new step', () => {
    const history = new History('a')
    history.push('b')
    history.undo()
    history.push('c')
    expect([history.canRedo, history.redo(), history.present]).toEqual([false, false, 'c'])
  })

  it('keeps hundreds of steps, and a bounded number of them', () => {
    const history = new History(0)
    for (let i = 1; i <= maxSteps + 50; i++) history.push(i)
    let steps = 0
    while (history.undo()) steps++
    expect(maxSteps).toBeGreaterThanOrEqual(200)
    expect([steps, history.present]).toEqual([maxSteps, 50])
  })

  it('undoes a drag at once, but not two', () => {
    const history = new History(0)
    history.push(1, 'drag')
    history.push(2, 'drag')
    history.close()
    history.push(3, 'drag')
    expect(history.steps).toBe(2)
    history.undo()
    expect(history.present).toBe(2)
    history.undo()
    expect(history.present).toBe(0)
  })

  it('does not continue a step that was undone', () => {
    const history = new History(0)
    history.push(1, 'arrows')
    history.undo()
    history.push(2, 'arrows')
    history.undo()
    expect(history.present).toBe(0)
  })

  it('is not a step when nothing changed', () => {
    const history = new History('a')
    history.push('a')
    expect(history.canUndo).toBe(false)
  })

  it('changes all states alike', () => {
    const history = new History(1)
    history.push(2)
    history.push(3)
    history.undo()
    history.map((n) => n * 10)
    history.amend(21)
    expect(history.present).toBe(21)
    history.redo()
    expect(history.present).toBe(30)
    history.undo()
    history.undo()
    expect(history.present).toBe(10)
  })
})
