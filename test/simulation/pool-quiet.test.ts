import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { histories, quietHistories } from './support/pool/history'
import { millisPerHistory } from './support/pool/judge'
import { play } from './support/pool/play'
import { seeded } from './support/seed'

vi.mock('../../src/client/dial', () => import('./support/pool/sim-dial'))
vi.mock('../../src/monitor/probe', () => import('./support/pool/sim-probe'))

const parameters = seeded(300)
const timeout = Math.max(parameters.numRuns, 300) * millisPerHistory

it('a process that was blocked blames no host: no alarm, no failover, nobody fails', { timeout }, async () => {
  const quiet = quietHistories([1, 2, 3, 5])
  const holds = fc.asyncProperty(quiet, async (history) => {
    const { book, alarms, failovers } = await play(history)
    const failed = book.entries.flatMap(({ settled }) =>
      settled.flatMap(({ error }) => (error === undefined ? [] : [error])),
    )
    const ownWill = /Cannot use a pool after calling end|aborted/
    expect(failed.map(String).filter((text) => !ownWill.test(text))).toEqual([])
    expect({ alarms, failovers }).toEqual({ alarms: 0, failovers: 0 })
  })
  await fc.assert(holds, parameters)
})

it('the histories of the other simulations hold what they are for', { timeout }, async () => {
  const seen = { failovers: 0, replayed: 0, unknown: 0, lostAnswers: 0, heldTooLong: 0, twice: 0 }
  for (const history of fc.sample(histories([2, 3]), { seed: 1, numRuns: 500 })) {
    const { book, failovers } = await play(history)
    seen.failovers += failovers
    for (const { kind, sent, executed, settled } of book.entries) {
      const code = (settled[0]?.error as { code?: string } | undefined)?.code
      if (sent.length > 1) seen.replayed += 1
      if (executed.length > 1) seen.twice += 1
      if (code === '08001') seen.heldTooLong += 1
      if (code !== '08007') continue
      seen.unknown += 1
      if (kind === 'write' && executed.length === 1) seen.lostAnswers += 1
    }
  }
  expect(Object.entries(seen).filter(([, times]) => times < 5)).toEqual([])
})
