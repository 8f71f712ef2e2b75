import { startCluster } from '../../test/support'
import { buildLibrary } from '../support/built-library'
import { startChild } from '../support/child'
import { readFlags } from '../support/flags'
import { show } from '../support/format'
import { Report } from '../support/report'
import { ratio } from '../support/sides'
import type { Block, Side, Triple } from '../support/sides'
import { interval95, median } from '../support/statistics'
import { targetOf } from '../support/target'
import type { OutcomeProcess } from './client'
import { comparisons } from './works'

/** What was measured of one comparison. */
interface Found {
  readonly triples: Triple[]
  roundTrips: Readonly<Record<Side, number>> | undefined
}

/** As in the overhead bench: the luck of one process is not that of the next. */
const blocksPerProcess = 15

/**
 * What certainty costs while nothing happens: `pool.transaction`, `exactlyOnce` and `outcome: 'witness'` against the same
 * by pg.Pool without any, and pg.Pool against itself, in alternating short blocks of one run. Servers and client share the
 * machine.
 *
 * Flags: `--blocks` of each side per comparison, `--millis` a block lasts, `--callers` at once.
 */
export async function outcome(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, { blocks: 60, millis: 200, callers: 16, json: '' })
  const names = Object.keys(comparisons)
  const seconds =
    (names.length * flags.blocks * 3 * (flags.millis + 25)) / 1000 + Math.ceil(flags.blocks / blocksPerProcess) * 8 + 10
  const about = `statements and transactions with certainty and without, ${flags.blocks} blocks a side, ${flags.callers} callers`
  const report = new Report('outcome', flags, seconds, about)
  const library = buildLibrary()
  const cluster = await startCluster()
  const found = new Map<string, Found>(names.map((name) => [name, { triples: [], roundTrips: undefined }]))
  try {
    const primary = await cluster.primary()
    await primary.query('create table bench (n int); create index on bench (n)')
    for (let left = flags.blocks; left > 0; left -= blocksPerProcess) {
      const client = await startChild<OutcomeProcess>('outcome-client')
      try {
        await client.call('open', { target: targetOf(cluster, primary), library })
        for (const [comparison, each] of found) each.roundTrips = await client.call('roundTrips', comparison)
        for (let block = 0; block < Math.min(left, blocksPerProcess); block++) {
          // What is looked for is there at most a few times, however long this runs.
          await primary.query('truncate bench')
          for (const [comparison, { triples }] of found) {
            const options = { comparison, callers: flags.callers, blockMillis: flags.millis }
            triples.push(await client.call('triple', options))
          }
        }
      } finally {
        await client.kill()
      }
    }
  } finally {
    await cluster.stop()
  }
  print(report, found)
  report.raw('triples', Object.fromEntries([...found].map(([name, { triples }]) => [name, triples])))
  return report.conclude(flags.json)
}

function print(report: Report, found: ReadonlyMap<string, Found>): void {
  const absolute: string[][] = []
  const compared: string[][] = []
  for (const [name, { triples, roundTrips }] of found) {
    const of = (side: Side, key: keyof Block): string => show(median(triples.map((triple) => triple[side][key])), 0)
    const both = (key: keyof Block): string[] => [of('pg', key), of('ours', key)]
    absolute.push([name, ...both('queriesPerSecond'), ...both('p50Micros'), ...both('cpuMicros')])
    const quotient = (drawn: readonly Triple[], key: keyof Block): number =>
      ratio(drawn, 'ours', key) / ratio(drawn, 'control', key)
    const throughput = (drawn: readonly Triple[]): number => quotient(drawn, 'queriesPerSecond')
    const cells = [throughput(triples), ...interval95(triples, throughput)]
    cells.push(ratio(triples, 'control', 'queriesPerSecond'), quotient(triples, 'p50Micros'))
    cells.push(quotient(triples, 'cpuMicros'))
    compared.push([name, ...cells.map((cell) => show(cell, 3))])
    const { ours, pg } = roundTrips ?? { ours: Number.NaN, pg: Number.NaN }
    report.bound({ name: `${name}: round trips`, required: `≤ ${pg}`, measured: String(ours), met: ours <= pg })
  }
  const pair = (what: string): string[] => [`pg ${what}`, `ours ${what}`]
  report.table('Medians of the blocks', ['', ...pair('per s'), ...pair('p50 µs'), ...pair('CPU µs')], absolute)
  const headers = ['', 'throughput', '95 % from', 'to', 'control ÷ pg', 'p50', 'client CPU']
  report.table("Ours ÷ pg, over the control's ÷ pg", headers, compared)
}
