import { describe, expect, it } from 'vitest'
import { allPages } from './client'
import { ApiError, errorFrom, failureOf } from './errors'

describe('errorFrom', () => {
  it('takes the text of the problem and the wait', () => {
    const error = errorFrom(new Response('', { status: 429, headers: { 'Retry-After': '90' } }), { title: 'Too many', detail: 'wait a bit' })
    expect(error).toMatchObject({ failure: 'limited', message: 'wait a bit', retryAfter: 90 })
  })

  it('copes with an answer that is no problem document', () => {
    expect(errorFrom(new Response('', { status: 418 }), 'text')).toMatchObject({ failure: 'failed', message: 'HTTP 418', retryAfter: undefined })
  })
})

describe('failureOf', () => {
  it('counts what is not from the server as failed', () => {
    expect(failureOf(new TypeError('x'))).toBe('failed')
    expect(failureOf(new ApiError('missing', ''))).toBe('missing')
  })
})

describe('allPages', () => {
  it('does not follow a cursor for ever', async () => {
    let asked = 0
    const items = await allPages(async () => ({ items: [asked++], next: 'again' }))
    expect(items).toHaveLength(10)
  })
})
