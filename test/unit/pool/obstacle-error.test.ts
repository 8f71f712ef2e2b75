import { describe, expect, it } from 'vitest'
import { initialTopology } from '../../../src/core/topology/state'
import type { TopologyState } from '../../../src/core/topology/state'
import { obstacle } from '../../../src/core/topology/obstacle'
import { reduceTopology } from '../../../src/core/topology/reduce'
import {
  isForeignClusterError,
  isPgLeaderError,
  isSplitBrainError,
  isStalePrimaryError,
  OutcomeUnknownError,
} from '../../../src/errors'
import { obstacleError } from '../../../src/pool/obstacle-error'
import { parseEvent } from '../../spec/topology/support/language'

const hosts = ['a:1', 'b:2', 'c:3']

/** What is believed after these events, written as the fixtures of the topology write them. */
const after = (...events: string[]): TopologyState =>
  events
    .map((event) => parseEvent(event, hosts))
    .reduce(reduceTopology, initialTopology(hosts, { settleMillis: 100, lockoutMillis: 60_000 }))

const led = ['10 a:1 primary X/2/s1', '11 b:2 standby X/2/s2', '12 c:3 standby X/2/s3']
const errorAfter = (...events: string[]): Error | undefined => {
  const found = obstacle(after(...events))
  return found && obstacleError(found)
}

describe('what stands in the way of a caller', () => {
  it.each([
    { what: 'somebody leads', events: [...led, '20 b:2 primary X/2/s2'] },
    { what: 'nobody is a primary', events: [...led, '20 a:1 failed gone'] },
    { what: 'the only primary is fenced', events: [...led, '20 a:1 fenced X/2/s1'] },
    { what: 'nobody has answered', events: [] },
  ])('nothing: $what', ({ events }) => {
    expect(errorAfter(...events)).toBeUndefined()
  })

  it('two that claim the lead, before there was a leader', () => {
    const error = errorAfter('10 a:1 primary X/2/s1', '11 b:2 primary X/2/s2')
    expect(isSplitBrainError(error) && error.hosts).toEqual(['a:1', 'b:2'])
    expect(error?.message).toBe(
      'a:1 and b:2 have claimed the lead on one timeline: none of them is written to. ' +
        'Stop the wrong one, or decide with an authority or topology.reset()',
    )
  })

  it('one that claimed it beside a leader that has failed since', () => {
    const split = [...led, '20 b:2 primary X/2/s2', '30 a:1 primary X/2/s1', '40 a:1 failed gone']
    const error = errorAfter(...split)
    expect(isSplitBrainError(error) && error.hosts).toEqual(['a:1', 'b:2'])
    // Not while it does not answer itself.
    expect(errorAfter(...split, '50 b:2 failed gone')).toBeUndefined()
  })

  it('a stale primary, rather than a foreign one', () => {
    const error = errorAfter(...led, '20 a:1 primary X/1/s1', '21 b:2 primary Y/9/s9')
    expect(isStalePrimaryError(error) && error).toMatchObject({
      name: 'StalePrimaryError',
      code: 'STALE_PRIMARY',
      host: 'a:1',
      timeline: 1,
      clusterTimeline: 2,
    })
    expect(error?.message).toContain('a:1 is a primary on timeline 1, and the cluster has gone on to timeline 2')
  })

  it('a foreign primary, where there is no other', () => {
    const error = errorAfter(...led, '20 a:1 failed gone', '21 b:2 primary Y/9/s9')
    expect(isForeignClusterError(error) && error).toMatchObject({
      name: 'ForeignClusterError',
      code: 'FOREIGN_CLUSTER',
      host: 'b:2',
      systemIdentifier: 'Y',
      clusterIdentifier: 'X',
    })
  })

  it('each of them has a guard of its own', () => {
    const guards = [isSplitBrainError, isStalePrimaryError, isForeignClusterError]
    const errors = [
      errorAfter('10 a:1 primary X/2/s1', '11 b:2 primary X/2/s2'),
      errorAfter(...led, '20 a:1 primary X/1/s1'),
      errorAfter(...led, '20 a:1 failed gone', '21 b:2 primary Y/9/s9'),
      new OutcomeUnknownError('lost', { cause: undefined }),
    ]
    expect(errors.map((error) => guards.map((guard) => guard(error)))).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
      [false, false, false],
    ])
    expect(errors.every(isPgLeaderError)).toBe(true)
  })
})
