import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { millisPerHistory } from './support/pool/judge'
import { seeded } from './support/seed'
import { broken } from './support/sessions/checker'
import type { Promised } from './support/sessions/checker'
import { histories } from './support/sessions/history'
import { onceBroken } from './support/sessions/once-broken'
import { play } from './support/sessions/play'

vi.mock('../../src/client/dial', () => import('./support/pool/sim-dial'))
vi.mock('../../src/monitor/probe', () => import('./support/pool/sim-probe'))

const parameters = seeded(500)
const timeout = Math.max(parameters.numRuns, 500) * millisPerHistory

describe('sessions over standbys that lag, die and are promoted', () => {
  it('read what they have written, never go back, and a position is kept everywhere', { timeout }, async () => {
    const holds = fc.asyncProperty(histories, async (history) => {
      const { done, history: kept, open } = await play(history, 'session')
      expect(Object.fromEntries(broken(done, kept))).toEqual({})
      expect(open).toBe(0)
    })
    await fc.assert(holds, parameters)
  })

  it.each(Object.entries(onceBroken))('also where it was broken once: %s', async (_what, history) => {
    const { done, history: kept } = await play(history, 'session')
    expect(Object.fromEntries(broken(done, kept))).toEqual({})
  })

  it('and the checker finds that they do not where nobody asks for it', { timeout }, async () => {
    const found = new Set<Promised>()
    for (const history of fc.sample(histories, { seed: 1, numRuns: 60 })) {
      const { done, history: kept } = await play(history, 'eventual')
      for (const promised of broken(done, kept).keys()) found.add(promised)
    }
    // A position is asked for by whoever reads: that holds all the same.
    expect([...found].sort()).toEqual(['monotonic reads', 'read your writes'])
  })
})
