import { startCluster } from '../../test/support'
import type { Cluster } from '../../test/support'
import { buildLibrary } from '../support/built-library'
import { startChild } from '../support/child'
import type { Child } from '../../test/support/child'
import { sharedNow } from '../support/clock'
import { readFlags } from '../support/flags'
import { show } from '../support/format'
import { Report } from '../support/report'
import { targetOf } from '../support/target'
import type { Answered, HoldProcess, Issued } from './client'
import { ConnectionWatch } from './connection-watch'
import { mostAhead, mostInASecond, outOfOrder } from './order'
import type { ProxiesProcess } from './proxies'
import { createText, orderText } from './statements'

interface HoldRound {
  readonly issued: Issued
  readonly answered: Answered
  readonly leaderlessFrom: number
  readonly leaderlessTo: number
  /** The calls in the order in which they reached the server. */
  readonly arrivals: readonly number[]
  readonly mostConnections: number
  readonly looks: number
  /** The most attempts within a second while there was no leader, host by host. */
  readonly attempts: readonly number[]
}

interface Flags {
  readonly queries: number
  readonly seconds: number
  readonly rounds: number
  readonly max: number
  readonly json: string
}

/**
 * Calls made while there is no leader. Before every server stands a proxy, in a process of its own, that counts the
 * connections asked for; the servers' own count of connections comes from sessions that go past the proxies.
 *
 * Flags: `--queries`, `--seconds` without a leader, `--rounds`, `--max` connections (with 1 the order at the server is exact).
 */
export async function hold(args: readonly string[]): Promise<number> {
  const flags: Flags = readFlags(args, { queries: 10_000, seconds: 2, rounds: 3, max: 10, json: '' })
  const about = `${flags.queries} queries while there is no leader for ${flags.seconds} s, ${flags.rounds} times`
  const report = new Report('hold', flags, flags.rounds * (flags.seconds + 10) + 5, about)
  const library = buildLibrary()
  const cluster = await startCluster()
  const proxies = await startChild<ProxiesProcess>('hold-proxies')
  const rounds: HoldRound[] = []
  try {
    const ports = cluster.hosts.map(({ port }) => port)
    const doors = new Map((await proxies.call('open', ports)).map((door, index) => [ports[index]!, door]))
    await (await cluster.primary()).query(createText)
    for (let run = 1; run <= flags.rounds; run++)
      rounds.push(await playRound(cluster, proxies, doors, library, run, flags))
  } finally {
    await proxies.kill()
    await cluster.stop()
  }
  printRounds(report, rounds)
  judge(report, rounds, flags)
  report.raw('rounds', rounds.map(summary))
  return report.conclude(flags.json)
}

async function playRound(
  cluster: Cluster,
  proxies: Child<ProxiesProcess>,
  doors: ReadonlyMap<number, number>,
  library: string,
  run: number,
  { queries, seconds, max }: Flags,
): Promise<HoldRound> {
  const primary = await cluster.primary()
  const next = cluster.hosts.find((host) => host !== primary)!
  await cluster.waitForReplication()
  const direct = targetOf(cluster, primary)
  const hosts = direct.hosts.map(({ host, port }) => ({ host, port: doors.get(port)! }))
  const client = await startChild<HoldProcess>('hold-client', ['--expose-gc'])
  const watch = new ConnectionWatch(cluster)
  try {
    await client.call('open', { target: { ...direct, hosts }, library, max, run })
    const issuing = client.call('issue', { queries })
    const leaderlessFrom = sharedNow()
    // The promotion waits for `seconds`; the helper resolves when the server says that it is out of recovery.
    const promoted = cluster.failover(next, { leaderlessMillis: seconds * 1000 }).then(() => sharedNow())
    const issued = await issuing
    const answered = await client.call('answers', undefined)
    const leaderlessTo = await promoted
    await watch.stop()
    const seen = await proxies.call('attempts', undefined)
    const rows = await next.query<{ n: number }>(orderText, [run])
    return {
      ...{ issued, answered, leaderlessFrom, leaderlessTo: Math.min(leaderlessTo, answered.doneAt) },
      arrivals: rows.map(({ n }) => n),
      mostConnections: watch.most,
      looks: watch.looks,
      attempts: cluster.hosts.map(({ port }) => mostInASecond(seen.get(port) ?? [], leaderlessFrom, leaderlessTo)),
    }
  } finally {
    await watch.stop()
    await client.kill()
    await cluster.rejoin(primary, await cluster.primary())
  }
}

function printRounds(report: Report, rounds: readonly HoldRound[]): void {
  const rows = rounds.map(({ issued, answered, leaderlessFrom, leaderlessTo, attempts }, index) => [
    `round ${index + 1}`,
    String(answered.answered),
    show(issued.from - leaderlessFrom, 0),
    show(issued.to - issued.from, 0),
    show(leaderlessTo - leaderlessFrom, 0),
    show(answered.longestMillis, 0),
    show(issued.heapBytesPerQuery, 0),
    attempts.join(' '),
  ])
  const headers = [
    '',
    'answered',
    'loss seen after ms',
    'issued in ms',
    'promoted after ms',
    'longest wait ms',
    'heap bytes/query',
  ]
  report.table('Held', [...headers, 'attempts/s by host'], rows)
}

function judge(report: Report, rounds: readonly HoldRound[], { queries, max }: Flags): void {
  const most = (of: (round: HoldRound) => number): number => Math.max(...rounds.map(of))
  const atMost = (name: string, limit: number, value: number): void =>
    report.bound({ name, required: `≤ ${limit}`, measured: show(value, 0), met: value <= limit })
  const least = Math.min(...rounds.map(({ answered }) => answered.answered))
  report.bound({ name: 'answered', required: String(queries), measured: String(least), met: least === queries })
  const failures = new Set(rounds.flatMap(({ answered }) => answered.failures))
  for (const failure of [...failures].slice(0, 5)) report.line(`failed: ${failure}`)
  const noted = Math.min(...rounds.map(({ answered }) => answered.startOrder.length))
  report.bound({
    name: 'starts seen by the clients',
    required: String(queries),
    measured: String(noted),
    met: noted === queries,
  })
  atMost(
    'started after a later one',
    0,
    most(({ answered }) => outOfOrder(answered.startOrder)),
  )
  const rowsMissing = most(
    ({ arrivals }) => Math.abs(queries - new Set(arrivals).size) + arrivals.length - new Set(arrivals).size,
  )
  atMost('rows missing or doubled on the server', 0, rowsMissing)
  atMost(
    'places ahead of its turn on the server',
    max - 1,
    most(({ arrivals }) => mostAhead(arrivals)),
  )
  atMost(
    'connections by pg_stat_activity',
    max,
    most(({ mostConnections }) => mostConnections),
  )
  atMost(
    'connections by totalCount',
    max,
    most(({ answered }) => answered.mostClients),
  )
  atMost(
    'heap bytes per held query',
    4096,
    most(({ issued }) => issued.heapBytesPerQuery),
  )
  atMost(
    'connection attempts a second to a host while leaderless',
    60,
    most(({ attempts }) => Math.max(...attempts)),
  )
  const early = Math.min(...rounds.map(({ issued, leaderlessTo }) => leaderlessTo - issued.to))
  const name = 'all issued before the promotion, ms'
  report.bound({ name, required: '> 0', measured: show(early, 0), met: early > 0 })
}

function summary({ arrivals, answered, ...round }: HoldRound): object {
  const { startOrder, ...rest } = answered
  return { ...round, answered: rest, startedOutOfOrder: outOfOrder(startOrder), mostAhead: mostAhead(arrivals) }
}
