import { Client } from 'pg'
import { startCluster } from '../../test/support'
import type { Cluster } from '../../test/support'
import { buildLibrary } from '../support/built-library'
import { startChild } from '../support/child'
import { readFlags, readList } from '../support/flags'
import { Report } from '../support/report'
import { judge } from './bounds'
import { contenderNames } from './contenders/contender'
import { faults, repair } from './fault'
import { playRound } from './round'
import type { Round } from './round'
import { createTables } from './statements'
import { printTables } from './tables'
import { tally } from './tally'
import type { WatcherProcess } from './watcher'

const ours = 'pg-leader'

/**
 * The same workload through four ways to reach a database, over four ways to lose its leader. The contender, the server's
 * watcher and whoever breaks the servers are processes of their own.
 *
 * Flags: `--rounds` of ours per fault for kill and switchover (half as many for the others), `--against` rounds of each
 * of the other contenders, `--seconds` after each fault, `--leaderless` milliseconds, `--writers`, `--max` connections (as many as they all open by default), `--pace` milliseconds
 * between two statements of a writer, `--contenders` and `--faults` lists.
 */
export async function failover(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, {
    rounds: 10,
    against: 1,
    seconds: 1,
    leaderless: 500,
    writers: 20,
    max: 10,
    pace: 10,
    contenders: '',
    faults: '',
    json: '',
  })
  const chosen = readList('contenders', flags.contenders, contenderNames)
  const plan = readList('faults', flags.faults, faults).flatMap((fault) => {
    const half = fault === 'kill' || fault === 'switchover' ? 1 : 0.5
    return chosen.flatMap((contender) => {
      const times = contender === ours ? Math.ceil(flags.rounds * half) : flags.against
      return Array.from({ length: times }, () => ({ fault, contender }))
    })
  })
  const seconds = plan.length * (4 + flags.seconds + flags.leaderless / 1000)
  const report = new Report(
    'failover',
    flags,
    seconds,
    `${flags.writers} writers while the leader is lost, ${plan.length} times`,
  )
  const library = buildLibrary()
  const cluster = await startCluster()
  const watcher = await startChild<WatcherProcess>('watcher')
  const rounds: Round[] = []
  try {
    await prepare(cluster)
    for (const [index, { fault, contender }] of plan.entries()) {
      const primary = await cluster.primary()
      const standbys = cluster.hosts.filter((host) => host !== primary)
      const next = standbys[index % standbys.length]!
      const round = await playRound(cluster, watcher, primary, next, {
        ...{ run: index + 1, contender, fault, library, writers: flags.writers, max: flags.max, others: 5 },
        ...{ paceMillis: flags.pace, leaderlessMillis: flags.leaderless },
        ...{ afterMillis: flags.seconds * 1000, graceMillis: 2000 },
      })
      rounds.push(round)
      report.line(`${index + 1}/${plan.length} ${fault} · ${contender}: ${inShort(round)}`)
      await repair(cluster)
    }
  } finally {
    await watcher.kill()
    await cluster.stop()
  }
  printTables(report, rounds)
  const resolution = rounds.map(({ writable }) => writable.at - writable.notBefore)
  report.line(
    `\nthe watcher's answers were ${(resolution.reduce((a, b) => a + b, 0) / rounds.length).toFixed(1)} ms apart on average`,
  )
  const played = rounds.filter(({ contender }) => contender === ours)
  if (played.length > 0) judge(report, played, Math.min(flags.writers, flags.max))
  report.raw('rounds', rounds.map(summary))
  return report.conclude(flags.json)
}

async function prepare(cluster: Cluster): Promise<void> {
  const primary = await cluster.primary()
  const client = new Client({ connectionString: cluster.connectionStringFor(primary) })
  await client.connect()
  try {
    await createTables(client)
  } finally {
    await client.end()
  }
  await cluster.waitForReplication()
}

function inShort(round: Round): string {
  const { attempts, failed, firstWrites, downtimes } = tally([round], 'insert')
  const first = firstWrites[0] === Infinity ? 'never' : `${firstWrites[0]?.toFixed(1)} ms after it`
  return `${attempts} inserts, ${failed} failed, server writable after ${downtimes[0]?.toFixed(0)} ms, first write ${first}`
}

function summary(round: Round): object {
  const { contender, fault, faultAt, writable } = round
  const { latencies: _, failures, ...counts } = tally([round], 'insert')
  return { contender, fault, faultAt, writable, ...counts, failures: Object.fromEntries(failures) }
}
