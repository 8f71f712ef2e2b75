import type { FailoverEvent } from '../src/index'
import type { Load } from './load'
import type { Act } from './story'
import { line, span } from './style'
import type { Line } from './style'
import { drawTable } from './table'
import { count, duration, plural } from './units'
import type { Verdict } from './verify'
import { paragraph, wrap } from './wrap'

/** Everything that a run has shown. */
export interface Run {
  readonly load: Load
  readonly acts: readonly Act[]
  readonly failovers: readonly FailoverEvent[]
  readonly verdict: Verdict
}

/** Whether nothing went wrong that should not have. A write in flight at a kill is nobody's fault, and is counted apart. */
export function isGood({ load, acts, failovers, verdict }: Run): boolean {
  return load.failed === 0 && verdict.duplicated === 0 && verdict.lost === 0 && failovers.length === acts.length
}

/** The last word of the demo, for a terminal of this width. */
export function summarise(run: Run, columns: number): Line[] {
  return [
    [],
    ...headline(run, columns),
    [],
    ...table(run, columns),
    [],
    ...method(columns),
    [],
    ...truth(run, columns),
    [],
  ]
}

function headline({ load, failovers }: Run, columns: number): Line[] {
  const held = failovers.reduce((sum, failover) => sum + failover.held, 0)
  const unknown = load.unknown.length
  const longest = duration(load.latency.longestMillis(performance.now()))
  const figures = line(
    span(`${plural(load.issued, 'request')}, `, 'strong'),
    span(`${count(load.failed)} failed`, load.failed === 0 ? 'good' : 'bad'),
    ', ',
    span(`${count(unknown)} of unknown outcome`, unknown === 0 ? 'good' : 'slow'),
    '.',
  )
  return [
    ...wrap(figures, columns),
    ...paragraph(`${count(held)} were held while nobody led; the longest wait was ${longest}.`, columns),
    ...[...load.failures].flatMap(([message, times]) =>
      wrap(line(span(`  ${count(times)} × ${message}`, 'bad')), columns, 4),
    ),
  ]
}

function table({ load, acts, failovers }: Run, columns: number): Line[] {
  const rows: [name: string, cell: (act: Act, failover: FailoverEvent | undefined) => string][] = [
    ['', ({ title }) => title],
    ['leader', ({ from, to }) => `${from.name} → ${to.name}`],
    ['servers took no writes for', (act) => duration(act.writableAt - lastWriteBefore(load, act))],
    ['pg-leader added', (act) => added(load, act)],
    ['callers held', (_, failover) => count(failover?.held ?? 0)],
    ['statements sent again', (_, failover) => count(failover?.replayed ?? 0)],
  ]
  return drawTable(
    rows.map(([name, cell]) => [name, ...acts.map((act, place) => cell(act, failovers[place]))]),
    columns,
  )
}

/** When the old leader acknowledged a write for the last time. */
function lastWriteBefore(load: Load, { from, writableAt, lostAt }: Act): number {
  return load.acknowledged.filter(({ port, at }) => port === from.port && at <= writableAt).at(-1)?.at ?? lostAt
}

function added(load: Load, { to, lostAt, writableAt }: Act): string {
  const first = load.acknowledged.find(({ port, at }) => port === to.port && at > lostAt)
  // Before the watcher's next question: the pool was the faster of the two.
  return first === undefined ? 'no write seen' : duration(Math.max(0, first.at - writableAt))
}

function method(columns: number): Line[] {
  const text =
    'Took no writes: from the last write that the old leader acknowledged until the new one was seen out of recovery, ' +
    `by a plain connection of pg that asked every ${duration(2)}. Added: from there to the first write that the pool got through.`
  return paragraph(text, columns, 'faint')
}

function truth({ load, acts, failovers, verdict }: Run, columns: number): Line[] {
  const { acknowledged, duplicated, lost, lostWithServer, unknownWritten, unknownAbsent } = verdict
  const lines: Line[] = []
  const say = (text: string, bad = false): void => void lines.push(...paragraph(text, columns, bad ? 'bad' : 'plain'))
  if (load.unknown.length > 0) {
    say(
      `Unknown: ${plural(load.unknown.length, 'plain insert')} in flight when the server died. Sending one again could ` +
        'write it twice, so the application gets an OutcomeUnknownError instead. ' +
        `The table says: ${count(unknownWritten)} had been written, ${count(unknownAbsent)} had not.`,
    )
  }
  const there = acknowledged - lost - lostWithServer
  say(`Checked in the tables: ${count(there)} of ${count(acknowledged)} acknowledged writes are there.`)
  if (duplicated === 0) say('No plain insert was executed twice.')
  else say(`${plural(duplicated, 'plain insert')} executed more than once!`, true)
  if (lostWithServer > 0) {
    say(
      `${plural(lostWithServer, 'write')} died with the killed server, which had acknowledged before a standby had ` +
        'received: replication is asynchronous here.',
    )
  }
  if (lost > 0) say(`${plural(lost, 'acknowledged write')} lost!`, true)
  if (failovers.length !== acts.length) {
    say(`The pool told of ${plural(failovers.length, 'failover')}, there were ${acts.length}.`, true)
  }
  return lines
}
