import { startCluster } from '../../test/support'
import { buildLibrary } from '../support/built-library'
import { startChild } from '../support/child'
import { readFlags } from '../support/flags'
import { show } from '../support/format'
import { Report } from '../support/report'
import { ratio, sides } from '../support/sides'
import type { Block, Side, Triple } from '../support/sides'
import { interval95, median } from '../support/statistics'
import { targetOf } from '../support/target'
import type { OverheadProcess } from './client'
import { importTimes } from './import-time'
import { ownPackages, packagesOf } from './installed-size'
import type { InstalledPackage } from './installed-size'

const concurrencies = [1, 16, 64]
const names: Readonly<Record<Side, string>> = { ours: 'pg-leader', pg: 'pg.Pool', control: 'pg.Pool again' }

/** Two equal pools in one process differ by up to 2 % for its whole life, by how it was compiled: so there are several. */
const blocksPerProcess = 20

/**
 * What following costs while nothing happens: ours on three hosts against pg.Pool on the leader, and pg.Pool against
 * itself, in alternating short blocks of one run. Each block is compared with its neighbours only, so that a slow moment
 * of the machine hits all sides alike.
 *
 * Flags: `--blocks` of each side per concurrency, `--millis` a block lasts, `--imports` fresh processes per module.
 */
export async function overhead(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, { blocks: 120, millis: 200, imports: 25, json: '' })
  const seconds = (concurrencies.length * flags.blocks * 3 * (flags.millis + 25)) / 1000 + flags.imports * 0.6 + 8
  const about = `pool.query through pg-leader and pg.Pool, ${flags.blocks} blocks a side at ${concurrencies.join(', ')} callers`
  const report = new Report('overhead', flags, seconds, about)
  const library = buildLibrary()
  const cluster = await startCluster()
  const triples = new Map<number, Triple[]>(concurrencies.map((callers) => [callers, []]))
  try {
    const options = { target: targetOf(cluster, await cluster.primary()), library }
    for (let left = flags.blocks; left > 0; left -= blocksPerProcess) {
      const client = await startChild<OverheadProcess>('overhead-client')
      try {
        await client.call('open', options)
        // One concurrency after the other in every pass: none of them gets the slow minute of the machine.
        for (let block = 0; block < Math.min(left, blocksPerProcess); block++) {
          for (const [callers, found] of triples) {
            found.push(await client.call('triple', { callers, blockMillis: flags.millis }))
          }
        }
      } finally {
        await client.kill()
      }
    }
  } finally {
    await cluster.stop()
  }
  printBlocks(report, triples)
  judge(report, triples)
  await printImports(report, library, flags.imports)
  await printSizes(report)
  report.raw('triples', Object.fromEntries(triples))
  return report.conclude(flags.json)
}

function printBlocks(report: Report, triples: ReadonlyMap<number, readonly Triple[]>): void {
  const rows = [...triples].flatMap(([callers, found]) =>
    sides.map((side) => {
      const of = (key: keyof Block): string => show(median(found.map((triple) => triple[side][key])), 0)
      return [`${callers} callers · ${names[side]}`, of('queriesPerSecond'), of('p50Micros'), of('cpuMicros')]
    }),
  )
  report.table('Medians of the blocks', ['', 'queries/s', 'p50 µs', 'client CPU µs/query'], rows)
}

function judge(report: Report, triples: ReadonlyMap<number, readonly Triple[]>): void {
  const rows: string[][] = []
  for (const [callers, found] of triples) {
    const row = (title: string, key: keyof Block, compare: (ours: number, control: number) => number): number => {
      const compared = (drawn: readonly Triple[]): number =>
        compare(ratio(drawn, 'ours', key), ratio(drawn, 'control', key))
      const [low, high] = interval95(found, compared)
      const value = compared(found)
      const cells = [ratio(found, 'ours', key), ratio(found, 'control', key), value, low, high]
      rows.push([`${callers} callers · ${title}`, ...cells.map((cell) => show(cell, 3))])
      return value
    }
    const throughput = row('throughput (difference)', 'queriesPerSecond', (ours, control) => ours - control)
    row('p50 (quotient)', 'p50Micros', (ours, control) => ours / control)
    const cpu = row('client CPU per query (quotient)', 'cpuMicros', (ours, control) => ours / control)
    report.bound({
      name: `${callers} callers: throughput ratio against the control's`,
      required: '≥ -0.03',
      measured: show(throughput, 3),
      met: throughput >= -0.03,
    })
    report.bound({
      name: `${callers} callers: client CPU per query, times the control's`,
      required: '≤ 1.05',
      measured: show(cpu, 3),
      met: cpu <= 1.05,
    })
  }
  const headers = ['', 'pg-leader ÷ pg', 'control ÷ pg', 'compared', '95 % from', 'to']
  report.table('Medians of the ratios within a triple of blocks', headers, rows)
}

async function printImports(report: Report, library: string, rounds: number): Promise<void> {
  const times = await importTimes({ pg: 'pg', 'pg-leader (pg included)': library }, rounds)
  const rows = Object.entries(times).map(([name, found]) => [name, show(median(found), 1), show(Math.min(...found), 1)])
  report.table(`require in ${rounds} fresh processes each`, ['', 'median ms', 'fastest ms'], rows)
}

async function printSizes(report: Report): Promise<void> {
  const pg = packagesOf('pg')
  const own = await ownPackages(pg)
  const row = (title: string, packages: readonly InstalledPackage[]): string[] => {
    const total = packages.reduce((sum, { bytes }) => sum + bytes, 0)
    return [title, `${Math.round(total / 1024)} kB`, packages.map(({ name }) => name).join(', ')]
  }
  const types = own.filter(({ name }) => name.startsWith('@types/') || name === 'undici-types')
  const rows = [
    row('pg-leader alone', own.slice(0, 1)),
    row(
      'what it needs to run, beside pg',
      own.slice(1).filter((one) => !types.includes(one)),
    ),
    row('types it depends on', types),
    row('pg', pg),
  ]
  report.table('Installed size', ['', 'size', 'packages'], rows)
}
