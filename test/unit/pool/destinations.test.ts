import { expect, it } from 'vitest'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import { reduceTopology } from '../../../src/core/topology/reduce'
import { initialTopology } from '../../../src/core/topology/state'
import type { TopologyState } from '../../../src/core/topology/state'
import { targets } from '../../../src/core/topology/targets'
import type { TargetSessionAttrs } from '../../../src/core/selection/target-session-attrs'
import { Blame } from '../../../src/pool/blame'
import { Clients } from '../../../src/pool/clients'
import { Destinations } from '../../../src/pool/destinations'
import type { LivingTopology } from '../../../src/topology/living-topology'
import { Roster } from '../../../src/pool/roster'
import { dialled } from './support/fake-client'

const rules = { lockoutMillis: 60_000, settleMillis: 100 }
const hosts = ['a:5432', 'b:5432']

/** The cluster after its hosts have answered: which of them is the primary, and since which start. */
function after(state: TopologyState, at: number, primary: string, start: string): TopologyState {
  return hosts.reduce((present, host) => {
    const answer = {
      inRecovery: host !== primary,
      defaultTransactionReadOnly: false,
      systemIdentifier: 'ours',
      timeline: 1,
      postmasterStartTime: `${host} ${start}`,
      lsn: undefined,
      roundTripMillis: 1,
    }
    return reduceTopology(present, { type: 'observed', at, host, answer })
  }, state)
}

function going() {
  const topology = {
    state: after(initialTopology(hosts, rules), 1, 'a:5432', 'first'),
    targets: (attrs: TargetSessionAttrs) => targets(topology.state, attrs),
    explain: () => [],
  }
  const follow = resolveOptions({ host: 'a,b', user: 'app', password: 'secret', database: 'shop' })
  const roster = new Roster(follow.hosts)
  const destinations = new Destinations(
    follow,
    roster,
    topology as unknown as LivingTopology,
    new Clients(),
    new Blame(),
  )
  const restart = (): void => void (topology.state = after(topology.state, 2, 'a:5432', 'second'))
  return { destinations, roster, topology, restart }
}

it('a session of an older generation will not do, although its host leads', () => {
  const { destinations, restart } = going()
  const old = dialled('a:5432', 1).session
  expect(destinations.suits(old)).toBe(true)
  restart()
  expect(destinations.suits(old)).toBe(false)
  expect(destinations.suits(dialled('a:5432', 2).session)).toBe(true)
})

it('a session on a standby will not do', () => {
  const { destinations } = going()
  expect(destinations.suits(dialled('b:5432', 1).session)).toBe(false)
})

it('a dial that began under an older generation comes too late', () => {
  const { destinations, restart } = going()
  expect(destinations.isStillWanted('a:5432', 1)).toBe(true)
  restart()
  expect(destinations.isStillWanted('a:5432', 1)).toBe(false)
  expect(destinations.isStillWanted('b:5432', 1)).toBe(false)
})

it('finds a host by its name or address, the leader also when it is not on the list any more, and nobody else who left', () => {
  const { destinations, roster, topology } = going()
  expect(destinations.find('B', 5432)).toBe('b:5432')
  expect(destinations.find('b', 5433)).toBeUndefined()
  const hosts = [{ key: 'c:5432', host: 'c', hostaddr: '10.0.0.3', port: 5432, weight: 1, tags: {} }]
  roster.relist(hosts, () => true)
  topology.state = reduceTopology(topology.state, { type: 'hosts', at: 3, keys: ['c:5432'] })
  expect(destinations.find('10.0.0.3', 5432)).toBe('c:5432')
  expect(destinations.find('a', 5432)).toBe('a:5432')
  expect(destinations.find('b', 5432)).toBeUndefined()
})

it('a new session goes to the leader and is judged by the role that it tells', () => {
  const next = going().destinations.next()
  if (next instanceof Error) throw next
  expect(next.host).toBe('a:5432')
  expect(next.accept({ inHotStandby: false, defaultTransactionReadOnly: false })).toBeUndefined()
  expect(next.accept({ inHotStandby: true, defaultTransactionReadOnly: false })).toBe('session is read-only')
})
