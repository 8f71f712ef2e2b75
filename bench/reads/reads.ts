import { FaultProxy, startCluster } from '../../test/support'
import { buildLibrary } from '../support/built-library'
import { startChild } from '../support/child'
import { readFlags } from '../support/flags'
import { show } from '../support/format'
import { Report } from '../support/report'
import { ratio } from '../support/sides'
import type { Block, Triple } from '../support/sides'
import { interval95, median } from '../support/statistics'
import { targetOf } from '../support/target'
import type { Target } from '../support/target'
import { readers } from './client'
import type { Reader, ReadsProcess, Spread } from './client'

type Round = Readonly<Record<Reader, Block>>

/** As in the overhead bench: the luck of one process is not that of the next. */
const blocksPerProcess = 20
const slowMillis = 50

/**
 * Reads over two standbys: throughput against others in one run, the cost of routing against pg.Pool on one standby, how evenly the
 * load is spread, and what becomes of it when one standby's replies are delayed. Servers and client share the machine.
 *
 * Flags: `--blocks` of each side, `--millis` a block lasts, `--callers` at once, `--reads` of each spread.
 */
export async function reads(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, { blocks: 60, millis: 200, callers: 16, reads: 20_000, json: '' })
  const seconds = (flags.blocks * 7 * (flags.millis + 25)) / 1000 + (flags.reads * 2) / 3000 + 60
  const about = `marked reads over two standbys, ${flags.blocks} blocks a side, ${flags.callers} callers`
  const report = new Report('reads', flags, seconds, about)
  const library = buildLibrary()
  const cluster = await startCluster()
  const rounds: Round[] = []
  const triples: Triple[] = []
  const proxies: FaultProxy[] = []
  try {
    const primary = await cluster.primary()
    await primary.query('create table bench (n int primary key); insert into bench select generate_series(0, 999)')
    await cluster.waitForReplication()
    const target = targetOf(cluster, primary)
    const options = { callers: flags.callers, blockMillis: flags.millis }
    for (let left = flags.blocks; left > 0; left -= blocksPerProcess) {
      const client = await startChild<ReadsProcess>('reads-client')
      try {
        await client.call('open', { target, library })
        for (let done = 0; done < Math.min(left, blocksPerProcess); done++) {
          rounds.push(await client.call('round', options))
          triples.push(await client.call('triple', options))
        }
      } finally {
        await client.kill()
      }
    }
    printThroughput(report, rounds)
    judgeOverhead(report, triples)
    for (const { port } of target.hosts) proxies.push(await FaultProxy.start(port))
    const client = await startChild<ReadsProcess>('reads-client')
    try {
      await client.call('open', { target, library })
      const proxied: Target = { ...target, hosts: proxies.map(({ port }) => ({ host: '127.0.0.1', port })) }
      const phase = { target: proxied, callers: flags.callers, reads: flags.reads }
      const healthy = await client.call('spread', phase)
      const slow = target.hosts[1]!.port
      proxies[1]!.delay(slowMillis)
      const slowed = await client.call('spread', phase)
      judgeSpread(report, healthy, slowed, String(slow))
    } finally {
      await client.kill()
    }
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await cluster.stop()
  }
  report.raw('rounds', rounds)
  report.raw('triples', triples)
  return report.conclude(flags.json)
}

function printThroughput(report: Report, rounds: readonly Round[]): void {
  const rows = readers.map((reader) => {
    const of = (key: keyof Block): number => median(rounds.map((round) => round[reader][key]))
    const against = (drawn: readonly Round[]): number =>
      median(drawn.map((round) => round['pg-leader'].queriesPerSecond / round[reader].queriesPerSecond))
    return [
      reader,
      show(of('queriesPerSecond'), 0),
      show(of('p50Micros'), 0),
      show(of('cpuMicros'), 0),
      ...[against(rounds), ...interval95(rounds, against)].map((cell) => show(cell, 3)),
    ]
  })
  const headers = ['', 'reads/s', 'p50 µs', 'client CPU µs', 'pg-leader ÷ it', '95 % from', 'to']
  report.table('Throughput of marked reads, two standbys and the leader', headers, rows)
}

function judgeOverhead(report: Report, triples: readonly Triple[]): void {
  const compared = (drawn: readonly Triple[], key: keyof Block): number =>
    ratio(drawn, 'ours', key) / ratio(drawn, 'control', key)
  const row = (title: string, key: keyof Block): string[] => {
    const sides = [ratio(triples, 'ours', key), ratio(triples, 'control', key), compared(triples, key)]
    const interval = interval95(triples, (drawn) => compared(drawn, key))
    return [title, ...[...sides, ...interval].map((cell) => show(cell, 3))]
  }
  const value = compared(triples, 'queriesPerSecond')
  const headers = ['', 'pg-leader ÷ pg', 'control ÷ pg', 'compared', '95 % from', 'to']
  report.table('One standby: routing against pg.Pool there', headers, [
    row('throughput', 'queriesPerSecond'),
    row('client CPU per read', 'cpuMicros'),
  ])
  const required = '≥ 0.95'
  report.bound({ name: 'routing: throughput ratio', required, measured: show(value, 3), met: value >= 0.95 })
}

function judgeSpread(report: Report, healthy: Spread, slowed: Spread, slow: string): void {
  const shares = ({ counts }: Spread): Readonly<Record<string, number>> => {
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
    return Object.fromEntries(Object.entries(counts).map(([port, count]) => [port, count / all]))
  }
  const row = (title: string, spread: Spread): string[] => [
    title,
    Object.entries(shares(spread))
      .map(([port, share]) => `${port === slow ? 'slowed' : 'other'} ${show(share * 100, 1)} %`)
      .join(', '),
    show(spread.p50Millis, 2),
    show(spread.p99Millis, 2),
  ]
  const headers = ['', 'shares of the standbys', 'p50 ms', 'p99 ms']
  const title = `Spread, by way of proxies; then one standby's replies are delayed by ${slowMillis} ms`
  report.table(title, headers, [row('equal load', healthy), row('one slowed', slowed)])
  const each = Object.values(shares(healthy))
  const worst = Math.max(...each.map((share) => Math.abs(share * each.length - 1)))
  const fair = each.length === 2 && worst <= 0.1
  report.bound({
    name: 'fairness under equal load',
    required: '± 10 %',
    measured: `± ${show(worst * 100, 1)} %`,
    met: fair,
  })
  const share = shares(slowed)[slow] ?? 0
  report.bound({
    name: 'share of the slowed one',
    required: '< 10 %',
    measured: `${show(share * 100, 1)} %`,
    met: share < 0.1,
  })
  const times = slowed.p99Millis / healthy.p99Millis
  report.bound({ name: 'p99 with one slowed', required: '≤ 1.5 ×', measured: `${show(times, 2)} ×`, met: times <= 1.5 })
}
