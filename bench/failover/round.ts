import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Host } from '../../test/support'
import { sharedNow } from '../support/clock'
import { startChild } from '../support/child'
import type { Child } from '../../test/support/child'
import { targetOf } from '../support/target'
import type { ContenderName } from './contenders/contender'
import { inject } from './fault'
import type { Fault } from './fault'
import type { Operation } from './operation'
import type { WatcherProcess, Writable } from './watcher'
import type { WorkloadProcess } from './workload'

export interface RoundOptions {
  readonly run: number
  readonly contender: ContenderName
  readonly fault: Fault
  readonly library: string
  readonly max: number
  readonly writers: number
  readonly others: number
  readonly paceMillis: number
  /** Without a primary before the promotion or the new start. */
  readonly leaderlessMillis: number
  /** How long the workload goes on after the fault is over, and again after a frozen server wakes up. */
  readonly afterMillis: number
  readonly graceMillis: number
}

/** Everything that one fault under one contender has left behind. Times are those of the shared clock. */
export interface Round {
  readonly contender: ContenderName
  readonly fault: Fault
  readonly operations: readonly Operation[]
  /** When the contender got to know of a new leader, if it says so. */
  readonly noticedAt: readonly number[]
  readonly faultAt: number
  readonly writable: Writable
  readonly stoppedAt: number
  /** The port of the server that leads at the end. */
  readonly leaderPort: number
  /** How often each number is on the leader. */
  readonly written: ReadonlyMap<number, number>
  /** Statements sent after the promotion that the thawed old leader executed. */
  readonly staleWrites: number
}

/** One contender in a fresh process, one fault, and the truth afterwards. */
export async function playRound(
  cluster: Cluster,
  watcher: Child<WatcherProcess>,
  primary: Host,
  next: Host,
  options: RoundOptions,
): Promise<Round> {
  const { run, contender, fault, afterMillis } = options
  const restart = fault === 'restart'
  const target = targetOf(cluster, primary)
  await watcher.call('watch', { ...target, port: (restart ? primary : next).port })
  const workload = await startChild<WorkloadProcess>('workload')
  try {
    await workload.call('start', { ...options, target })
    // Random, or the faults would always come at the same point of somebody's timers.
    await sleep(300 + Math.random() * 1000)
    const faultAt = sharedNow()
    const leaderlessMillis = options.leaderlessMillis + Math.random() * 50
    await inject(cluster, fault, { primary, next, leaderlessMillis })
    const writable = await watcher.call('writable', undefined)
    await sleep(afterMillis)
    const mark = await workload.call('mark', undefined)
    if (fault === 'freeze') {
      await primary.thaw()
      await sleep(afterMillis)
    }
    const stoppedAt = sharedNow()
    const { operations, noticedAt } = await workload.call('stop', { graceMillis: options.graceMillis })
    const leader = restart ? primary : next
    const written = await count(leader, run)
    const stale = fault === 'freeze' ? await count(primary, run) : new Map<number, number>()
    const staleWrites = [...stale.keys()].filter((id) => id > mark && !written.has(id)).length
    const leaderPort = leader.port
    return { contender, fault, operations, noticedAt, faultAt, writable, stoppedAt, leaderPort, written, staleWrites }
  } finally {
    await workload.kill()
  }
}

async function count(host: Host, run: number): Promise<Map<number, number>> {
  const text = 'select id, count(*)::int as times from bench_writes where run = $1 group by id'
  const rows = await host.query<{ id: number; times: number }>(text, [run])
  return new Map(rows.map(({ id, times }) => [id, times]))
}
