import { show } from '../support/format'
import type { Report } from '../support/report'
import { median, percentile } from '../support/statistics'
import { contenderNames } from './contenders/contender'
import { faults } from './fault'
import { tally } from './tally'
import type { Tally } from './tally'
import type { Round } from './round'

const truthHeaders = ['', 'rounds', 'attempts', 'acknowledged', 'failed', 'no answer', 'failed but written']
const lossHeaders = ['written twice', 'lost: replication', 'lost: stale leader']
const timeHeaders = [
  '',
  'p50',
  'p99',
  'blackout median',
  'max',
  'server down median',
  'noticed median',
  'first write median',
  'p99',
]

/** Everything that was counted, for people. */
export function printTables(report: Report, rounds: readonly Round[]): void {
  const rows = faults.flatMap((fault) =>
    contenderNames.flatMap((contender) => {
      const found = rounds.filter((round) => round.fault === fault && round.contender === contender)
      return found.length === 0 ? [] : [{ name: `${fault} · ${contender}`, found, count: tally(found, 'insert') }]
    }),
  )
  const truth = rows.map(({ name, count }) => [name, ...truthCells(count)])
  report.table(
    'One INSERT after another by every writer: what became of them',
    [...truthHeaders, ...lossHeaders],
    truth,
  )
  report.line(
    'lost: replication = acknowledged by a leader that was lost before its standbys had it (asynchronous replication)',
  )
  report.line('lost: stale leader = acknowledged by the old leader after the new one was writable')
  const times = rows.map(({ name, count }) => [name, ...timeCells(count)])
  report.table('The same, milliseconds (noticed, first write: after the server was writable)', timeHeaders, times)
  const failures = rows.map(({ name, count }) => [name, listFailures(count)])
  report.table('How they failed', ['', 'failures'], failures)
  const others = rows.flatMap(({ name, found }) =>
    (['upsert', 'read'] as const).flatMap((kind) => {
      const count = tally(found, kind)
      if (count.attempts === 0) return []
      const title = `${name} · ${kind === 'read' ? 'reads' : 'idempotent writes'}`
      const { attempts, failed, latencies, blackouts } = count
      return [[title, String(attempts), String(failed), ms(percentile(latencies, 0.99)), ms(Math.max(...blackouts))]]
    }),
  )
  if (others.length > 0) report.table('Beside them', ['', 'attempts', 'failed', 'p99 ms', 'blackout max ms'], others)
}

function truthCells(count: Tally): string[] {
  const { rounds, attempts, acknowledged, failed, unanswered, failedButWritten } = count
  const { writtenTwice, lostInReplication, lostOnStaleLeader } = count
  return [
    ...[rounds, attempts, acknowledged, failed, unanswered, failedButWritten],
    ...[writtenTwice, lostInReplication, lostOnStaleLeader],
  ].map(String)
}

function timeCells({ latencies, blackouts, downtimes, notices, firstWrites }: Tally): string[] {
  return [
    ms(percentile(latencies, 0.5)),
    ms(percentile(latencies, 0.99)),
    ms(median(blackouts)),
    ms(Math.max(...blackouts)),
    ms(median(downtimes)),
    ms(median(notices)),
    ms(median(firstWrites)),
    ms(percentile(firstWrites, 0.99)),
  ]
}

function ms(value: number): string {
  return value === Infinity ? 'never back' : show(value, 1)
}

function listFailures({ failures }: Tally): string {
  const listed = [...failures].sort(([, a], [, b]) => b - a).map(([name, times]) => `${times} × ${name}`)
  return listed.join(', ') || 'none'
}
