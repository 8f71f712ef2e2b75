import { describe, expect, it, vi } from 'vitest'
import type { Observation } from '../../../src/core/topology/host'
import { reduceTopology } from '../../../src/core/topology/reduce'
import { initialTopology } from '../../../src/core/topology/state'
import type { TopologyState } from '../../../src/core/topology/state'
import { takeSnapshot } from '../../../src/topology/snapshot'

const answer = (more: Partial<Observation>): Observation => ({
  inRecovery: false,
  defaultTransactionReadOnly: false,
  systemIdentifier: 'ours',
  timeline: 2,
  postmasterStartTime: undefined,
  lsn: undefined,
  roundTripMillis: 3,
  ...more,
})

function believe(answers: Readonly<Record<string, Observation | string>>): TopologyState {
  const start = initialTopology(Object.keys(answers), { settleMillis: 100, lockoutMillis: 1000 })
  return Object.entries(answers).reduce(
    (state, [host, told]) =>
      typeof told === 'string'
        ? reduceTopology(state, {
            type: 'failed',
            host,
            at: 10,
            failure: { reason: told, aboutCaller: false, error: undefined },
          })
        : reduceTopology(state, { type: 'observed', host, at: 10, answer: told }),
    start,
  )
}

const cluster = {
  'a:1': answer({ lsn: 1000n, postmasterStartTime: 'a' }),
  'b:2': answer({ inRecovery: true, lsn: 900n }),
  'c:3': 'connection refused',
  'd:4': answer({ timeline: 1, postmasterStartTime: 'd' }),
  'e:5': answer({ systemIdentifier: 'theirs' }),
  'f:6': answer({ defaultTransactionReadOnly: true }),
  'g:7': answer({ inRecovery: true, lsn: 1100n }),
}

describe('takeSnapshot', () => {
  it('shows every host with its role and why it does not lead', () => {
    const { leader, generation, timeline, hosts } = takeSnapshot(believe(cluster), () => undefined)
    expect({ leader, generation, timeline }).toEqual({ leader: 'a:1', generation: 1, timeline: 2 })
    expect(hosts.map(({ host, role }) => `${host} ${role}`)).toEqual([
      'a:1 leader',
      'b:2 standby',
      'c:3 unknown',
      'd:4 stale',
      'e:5 foreign',
      'f:6 read-only',
      'g:7 standby',
    ])
    expect(hosts.map(({ reason }) => reason)).toEqual([
      undefined,
      'is a standby (in recovery)',
      'connection refused',
      expect.stringContaining('stale primary: its timeline is 1'),
      expect.stringContaining('belongs to another cluster'),
      expect.stringContaining('default_transaction_read_only'),
      'is a standby (in recovery)',
    ])
  })

  it('tells the lag where both positions are known, and never a negative one', () => {
    const { hosts } = takeSnapshot(believe(cluster), () => undefined)
    expect(hosts.map(({ lagBytes }) => lagBytes)).toEqual([0, 100, undefined, undefined, undefined, undefined, 0])
  })

  it('has no lag to tell of a host of another cluster: its positions are of another history', () => {
    const foreign = { ...cluster, 'e:5': answer({ systemIdentifier: 'theirs', lsn: 1n }) }
    const { hosts } = takeSnapshot(believe(foreign), () => undefined)
    expect(hosts.find(({ host }) => host === 'e:5')?.lagBytes).toBeUndefined()
  })

  it('shows no leader while it is in doubt', () => {
    const state = reduceTopology(believe(cluster), { type: 'suspected', host: 'a:1', at: 20 })
    const { leader, timeline, hosts } = takeSnapshot(state, () => undefined)
    expect({ leader, timeline }).toEqual({ leader: undefined, timeline: undefined })
    expect(hosts[0]).toMatchObject({ role: 'unknown', reason: 'lost a connection and has not answered since' })
  })

  it('names the hosts of a split brain', () => {
    const rivals = {
      'a:1': answer({ postmasterStartTime: 'a' }),
      'b:2': answer({ postmasterStartTime: 'b' }),
    }
    const { leader, splitBrain, hosts } = takeSnapshot(believe(rivals), () => undefined)
    expect(leader).toBeUndefined()
    expect(splitBrain).toEqual(['a:1', 'b:2'])
    expect(hosts.map(({ role, reason }) => [role, reason])).toEqual([
      ['primary', 'claims the lead on the same timeline as b:2'],
      ['primary', 'claims the lead on the same timeline as a:1'],
    ])
  })

  it('is frozen through and through, is data, and has a reset that does not show', () => {
    const reset = vi.fn()
    const snapshot = takeSnapshot(believe(cluster), reset)
    expect([snapshot, snapshot.hosts, ...snapshot.hosts].every((each) => Object.isFrozen(each))).toBe(true)
    expect(Object.keys(snapshot)).not.toContain('reset')
    expect(structuredClone({ ...snapshot })).toEqual({ ...snapshot })
    snapshot.reset()
    expect(reset).toHaveBeenCalledTimes(1)
  })
})
