import { session } from '../../../../src/execution/session-scope'
import { Pool } from '../../../../src/facade/pool'
import { Book } from '../pool/book'
import { VirtualClock } from '../pool/clock'
import { SimClient } from '../pool/sim-client'
import { enter } from '../pool/stage'
import { Wire } from '../pool/wire'
import { Sessions } from './sessions'
import type { Done } from './checker'
import type { History, Step } from './history'
import { ReplicatedWorld } from './replicated-world'

/** What came of a history. */
export interface Played {
  readonly done: readonly Done[]
  readonly failed: readonly unknown[]
  /** The writes that no failover has cut off. */
  readonly history: ReadonlySet<number>
  readonly failovers: number
  /** What has not come to its end when all was over. */
  readonly open: number
}

/** Nobody is held for longer than this. */
const holdMillis = 1500

/** Plays a history with the whole library over simulated servers and a virtual clock. */
export async function play(history: History, consistency: 'session' | 'eventual'): Promise<Played> {
  const clock = new VirtualClock(history.seed)
  const world = new ReplicatedWorld(history.lags, clock, history.isTold)
  const book = new Book(
    () => clock.now,
    () => undefined,
  )
  const wire = new Wire(clock, world, book)
  const { emitWarning } = process
  process.emitWarning = () => undefined
  clock.install()
  enter({ wire, onSend: (id, host) => book.sent(id, host) })
  try {
    const pool = new Pool({
      host: world.servers.map(({ key }) => key.split(':')[0]).join(','),
      port: 5432,
      user: 'app',
      password: 'secret',
      database: 'shop',
      Client: SimClient as never,
      max: history.max,
      failoverTimeoutMillis: holdMillis,
      consistency,
      readOnly: { consistencyWaitMillis: history.waitMillis, fallback: history.fallback },
      monitor: { intervalMillis: 700, leaderlessIntervalMillis: 25, timeoutMillis: 200 },
    })
    const sessions = new Sessions(pool, book, clock)
    for (const [place, acts] of history.sessions.entries()) void session(() => sessions.run(place, acts))
    await clock.pass(60)
    for (const step of history.steps) await perform(step, wire, world)
    world.calmDown()
    for (const server of world.servers) wire.heal(server)
    // As long as somebody has something to do.
    for (let n = 0; n < 60 && sessions.open > 0; n += 1) await clock.pass(holdMillis)
    const { open } = sessions
    void pool.end()
    await clock.pass(1000)
    const failovers = world.leader.timeline - 1
    return { done: sessions.done, failed: sessions.failed, history: world.history, failovers, open }
  } finally {
    Object.assign(process, { emitWarning })
    clock.uninstall()
    enter(undefined)
  }
}

async function perform(step: Step, wire: Wire, world: ReplicatedWorld): Promise<void> {
  if (step.do === 'wait') return wire.clock.pass(step.millis)
  const server = step.host === undefined ? world.leader : world.server(step.host)
  switch (step.what) {
    case 'promote':
    case 'switch': {
      const next = world.successor(server)
      if (next === undefined) return
      const { leader } = world
      wire.dismiss(leader, step.what === 'switch' ? 'fast' : 'killed')
      leader.up = false
      world.promote(next)
      if (step.what === 'switch') world.start(leader)
      return
    }
    case 'crash':
      wire.dismiss(server, 'killed')
      return world.disturb('crash', server)
    case 'restart':
      wire.dismiss(server, 'fast')
      return world.disturb('restart', server)
    case 'rewind': {
      const { starts } = server
      world.demote(server)
      if (server.starts !== starts || !server.up) wire.dismiss(server, 'fast')
      return
    }
    case 'expire':
      return wire.dismiss(server, 'idle')
    case 'slow':
      server.slowMillis = server.slowMillis === 0 ? 150 : 0
      return
    case 'lag':
      return world.lag(server, 300)
    case 'keep up':
      return world.lag(server, 0)
    case 'hold':
      return world.hold(server)
    case 'start':
    case 'partition':
    case 'heal':
      world.disturb(step.what, server)
      if (step.what === 'heal') wire.heal(server)
      return
    default:
      step.what satisfies never
  }
}
