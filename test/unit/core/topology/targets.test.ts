import { expect, it } from 'vitest'
import { reduceTopology } from '../../../../src/core/topology/reduce'
import { initialTopology } from '../../../../src/core/topology/state'
import { targets } from '../../../../src/core/topology/targets'

/** Where sessions may go once every host has answered. */
function cluster(roles: Readonly<Record<string, 'primary' | 'standby'>>) {
  const start = initialTopology(Object.keys(roles), { lockoutMillis: 60_000, settleMillis: 100 })
  return Object.entries(roles).reduce((state, [host, role]) => {
    const answer = {
      inRecovery: role === 'standby',
      defaultTransactionReadOnly: false,
      systemIdentifier: 'ours',
      timeline: 1,
      postmasterStartTime: host,
      lsn: undefined,
      roundTripMillis: 1,
    }
    return reduceTopology(state, { type: 'observed', at: 1, host, answer })
  }, start)
}

it('prefer-standby takes the standbys, in the order of the list', () => {
  expect(targets(cluster({ a: 'primary', b: 'standby', c: 'standby' }), 'prefer-standby')).toEqual(['b', 'c'])
})

it('prefer-standby takes the primary where there is no standby', () => {
  expect(targets(cluster({ a: 'primary' }), 'prefer-standby')).toEqual(['a'])
})
