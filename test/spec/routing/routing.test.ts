import { describe, expect, it } from 'vitest'
import { hasReadMark } from '../../../src/core/routing/read-mark'
import { routeOfRead } from '../../../src/core/routing/read-route'
import readMarks from './read-marks.json'
import readRoutes from './read-routes.json'

describe('where a text goes that is marked as a read', () => {
  it.each(readRoutes)('$to: $text ($comment)', ({ to, text }) => {
    const route = routeOfRead(text)
    expect(route.to).toBe(to)
    if (route.to !== 'standby') expect(route.because).toMatch(/\w/)
  })

  it.each(readRoutes.filter(({ to }) => to === 'leader').map((row) => ({ ...row, held: row.held ?? 'refused' })))(
    'on a client that is held it is $held: $text ($comment)',
    ({ text, held }) => {
      expect(routeOfRead(text)).toMatchObject({ to: 'leader', ofSession: held === 'sent' })
    },
  )
})

describe('whether a text is marked as a read by a comment', () => {
  it.each(readMarks)('$marked: $text', ({ text, marked }) => {
    expect(hasReadMark(text)).toBe(marked)
  })
})
