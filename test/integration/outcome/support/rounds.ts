import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { poll } from '../../../support'
import type { Cluster } from '../../../support'
import { outcomeTable } from '../../../../src/index'
import type { FailoverEvent, PoolConfig } from '../../../../src/index'
import { heal } from '../../pool/support/clusters'
import { burnProcedure } from './fault'
import type { Fault } from './fault'
import { openNetwork } from './network'
import type { Network } from './network'
import { truthTable, Writers } from './writers'
import type { Audit } from './writers'

/** How often each fault is inflicted; a long run is made by the environment. */
const rounds = Number(process.env['PG_LEADER_TEST_ROUNDS'] ?? 1)

/** A COMMIT takes its time in two ways: before it is flushed (commit_delay), and after that, until a standby has applied it. */
export const slowCommits = {
  settings: {
    commit_delay: '10000',
    commit_siblings: '0',
    synchronous_commit: 'local',
    recovery_min_apply_delay: '15ms',
  },
  synchronousStandbyNames: '*',
} as const

/** How transactions are looked up. */
interface Way {
  readonly way: string
  readonly outcome: PoolConfig['outcome']
  /** Nothing stays unknown, whatever was done. */
  readonly exact: boolean
}

export const byWitnesses: Way = { way: 'by witnesses', outcome: 'witness', exact: false }
export const byMarkers: Way = { way: 'by markers', outcome: { table: 'markers' }, exact: true }

interface Round extends Audit {
  /** This process was kept from running: what it saw of the servers has gaps then. */
  readonly wasSlow: boolean
  /** What each failover event said of acknowledged transactions that are gone. */
  readonly toldLost: readonly (number | undefined)[]
}

/** The longest time by which a timer was late until now, in milliseconds. */
function watchLag(): () => number {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last - 5)
    last = performance.now()
  }, 5)
  return () => {
    clearInterval(timer)
    return longest
  }
}

/** Plays rounds of each fault on a cluster, and compares what was said of every transaction with what is there. */
export function playRounds(cluster: () => Cluster, faults: readonly Fault[], ways: readonly Way[]): void {
  const writers = new Set<Writers>()
  const networks = new Set<Network>()

  beforeAll(async () => {
    const primary = await cluster().primary()
    await primary.query(truthTable)
    await primary.query(burnProcedure)
    await primary.query(outcomeTable('markers'))
  })
  afterAll(async () => {
    await Promise.all([...writers].map(({ pool }) => pool.end()))
    await Promise.all([...networks].map((network) => network.close()))
  })

  async function inflict(fault: Fault, { outcome }: Way): Promise<Round> {
    await heal(cluster())
    const network = await openNetwork(cluster(), fault.between ?? 'nothing')
    networks.add(network)
    const some = new Writers({
      ...network.config,
      max: 24,
      monitor: { intervalMillis: 250 },
      outcome,
    })
    writers.add(some)
    const failovers: FailoverEvent[] = []
    some.pool.on('failover', (event) => failovers.push(event))
    // Half of them wait until a standby has applied what they commit.
    some.start(16, (client, worker) =>
      worker % 2 === 0 ? client.query('set local synchronous_commit = remote_apply') : Promise.resolve(),
    )
    some.startOnce(8)
    some.startCommits(8)
    await some.progress(40)
    const lag = watchLag()
    await fault.inflict(await cluster().primary(), cluster(), some, network)
    await some.progress(20)
    await some.stop()
    const isTold = (): boolean => {
      const { generation } = some.pool.topology
      return generation === 1 || failovers.at(-1)?.generation === generation
    }
    await poll(isTold, { what: 'the story is told' })
    const audit = await some.audit()
    await some.pool.end()
    await network.close()
    networks.delete(network)
    writers.delete(some)
    return { ...audit, wasSlow: lag() > 40, toldLost: failovers.map(({ lost }) => lost) }
  }

  describe.each(faults)('$what', (fault) => {
    const timeout = 30_000 * rounds
    it.each(ways)('is followed by no wrong verdict, and executes nothing twice: $way', { timeout }, async (given) => {
      const audits: Round[] = []
      for (let round = 0; round < rounds; round += 1) audits.push(await inflict(fault, given))
      const sum = (count: (audit: Round) => number): number => audits.reduce((total, audit) => total + count(audit), 0)
      const unknown = audits.flatMap((audit) => audit.unknown)
      const reasons = [...new Set(unknown)].map(
        (reason) => `${unknown.filter((each) => each === reason).length} ${reason}`,
      )
      console.log(
        `${fault.what}, ${given.way}: ${sum(({ committed }) => committed)} found committed, ${sum(({ aborted }) => aborted)} run again, ` +
          `${unknown.length} unknown${reasons.map((reason) => `; ${reason}`).join('')}; ${sum(({ lost }) => lost)} acknowledged and lost` +
          (audits.some(({ wasSlow }) => wasSlow) ? '; this process was kept waiting' : ''),
      )
      expect(audits.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(audits.flatMap(({ twice }) => twice)).toEqual([])
      expect(audits.flatMap(({ failed }) => failed)).toEqual([])
      for (const { toldLost, lost } of audits) {
        const told = toldLost.reduce<number>((total, each) => total + (each ?? 0), 0)
        if (fault.disguised === true) expect(told).toBeLessThanOrEqual(lost)
        else expect(told).toBe(lost)
      }
      // Of a session that was lost with its first statement, before anything came back, nobody knows what was at its end; nor
      // of a statement what it did, if a network lost its witness.
      const isPromised = (reason: string): boolean => reason !== 'it carried no witness'
      const promised = audits.filter(({ wasSlow }) => !wasSlow).flatMap((audit) => audit.unknown.filter(isPromised))
      if (fault.single) expect(promised).toEqual([])
      if (given.exact && fault.resets !== true) expect(unknown).toEqual([])
    })
  })
}
