// npm run demo: a real cluster of three PostgreSQL servers loses its leader under load, twice, and one Pool follows it.
import { Pool } from '../src/index'
import type { FailoverEvent } from '../src/index'
import { defaultMajor, startCluster } from '../test/support'
import type { Cluster } from '../test/support'
import { createTables, Load } from './load'
import { Plain } from './plain'
import { Screen } from './screen'
import { play } from './story'
import { line, render, wantsColour } from './style'
import type { Line } from './style'
import { isGood, summarise } from './summary'
import type { Run } from './summary'
import { count, duration, plural } from './units'
import { verify } from './verify'
import { Stage } from './view'
import type { Show } from './view'
import { wrap } from './wrap'

const terminal = process.stdout
const colour = wantsColour(terminal)
/** Asked for anew each time: the window may have been resized meanwhile. */
const columns = (): number => terminal.columns || 80
const print = (text: string): void => printLines(wrap(line(text), terminal.isTTY ? columns() : Infinity))
const printLines = (lines: readonly Line[]): void => {
  for (const each of lines) terminal.write(`${render(each, { colour })}\n`)
}
const show: Show = terminal.isTTY && process.env['TERM'] !== 'dumb' ? new Screen(terminal) : new Plain(print)

let cluster: Cluster | undefined
let interruptedAt: number | undefined

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => void interrupt(128 + number))
}

async function main(): Promise<boolean> {
  print(`Starting three servers of PostgreSQL ${defaultMajor()} …`)
  cluster = await startCluster()
  // What an application writes: every host, in one string.
  const pool = new Pool({ connectionString: cluster.connectionString() })
  try {
    await createTables(pool)
    const run = await perform(cluster, pool)
    printLines(summarise(run, columns()))
    return isGood(run)
  } finally {
    show.end()
    await pool.end()
  }
}

async function perform(servers: Cluster, pool: Pool): Promise<Run> {
  const start = performance.now()
  const load = new Load(pool, start)
  const stage = new Stage(servers, pool, load, start)
  const failovers: FailoverEvent[] = []
  pool.on('failover', (failover) => {
    failovers.push(failover)
    stage.happened(tell(stage, failover))
  })
  show.begin(stage)
  const acts = await play(servers, {
    now: (text) => (stage.now = text),
    happened: (text, label) => stage.happened(text, label),
  }).finally(() => load.stop())
  stage.now = 'Finishing what is under way, then checking the tables.'
  await load.settled()
  const verdict = await verify(pool, load, acts)
  show.end()
  printLines(show.keepsake(stage, columns()))
  return { load, acts, failovers, verdict }
}

/** The pool tells its story when nobody is held any more: later than its first write, which the summary times. */
function tell(stage: Stage, { to, leaderlessMillis, held, replayed }: FailoverEvent): string {
  const leader = stage.nameOf(to)
  const served = held === 0 ? `follows ${leader}` : `last of ${plural(held, 'held call')} served by ${leader}`
  const again = replayed === 0 ? '' : `, ${count(replayed)} sent again`
  return `pool: ${served}; ${duration(leaderlessMillis)} without a leader${again}`
}

async function interrupt(code: number): Promise<void> {
  // npm and tsx pass a Ctrl-C on that the terminal has sent to all of us already: that is not a second one.
  if (interruptedAt !== undefined) {
    if (performance.now() - interruptedAt > 500) process.exit(code)
    return
  }
  interruptedAt = performance.now()
  show.end()
  print('Stopping the servers …')
  await cluster?.stop()
  process.exit(code)
}

main()
  .catch((error: unknown) => {
    if (interruptedAt !== undefined) return true
    console.error(error)
    return false
  })
  .then(async (good) => {
    if (interruptedAt !== undefined) return
    await cluster?.stop()
    process.exitCode = good ? 0 : 1
  })
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
