// npm run demo: a real cluster of three PostgreSQL servers loses its leader under load, twice, and one Pool follows it.
import { Pool } from '../src/index'
import type { FailoverEvent } from '../src/index'
import { defaultMajor, startCluster } from '../test/support'
import type { Cluster } from '../test/support'
import { createTables, Load } from './load'
import { Plain } from './plain'
import { Screen } from './screen'
import { play } from './story'
import { render, wantsColour } from './style'
import { isGood, summarise } from './summary'
import type { Run } from './summary'
import { count, duration } from './units'
import { verify } from './verify'
import { Stage } from './view'
import type { Show } from './view'

const terminal = process.stdout
const colour = wantsColour(terminal)
const columns = terminal.columns || 80
const print = (text: string): void => void terminal.write(`${text}\n`)
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
    for (const each of summarise(run, columns)) print(render(each, { colour }))
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
  stage.now = 'The requests under way are finished, and the tables checked.'
  await load.settled()
  const verdict = await verify(pool, load, acts)
  show.end()
  for (const each of show.keepsake(stage, columns)) print(render(each, { colour }))
  return { load, acts, failovers, verdict }
}

function tell(stage: Stage, { from, to, leaderlessMillis, held, replayed }: FailoverEvent): string {
  return (
    `pool: ${stage.nameOf(from)} → ${stage.nameOf(to)}, ${duration(leaderlessMillis)} without a leader, ` +
    `${count(held)} held, ${count(replayed)} sent again`
  )
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
