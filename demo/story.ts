import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Host } from '../test/support'
import { Watcher } from './watcher'

/** One change of leader, as seen from outside the pool. Moments are those of `performance.now()`. */
export interface Act {
  readonly title: 'kill -9' | 'switchover'
  readonly from: Host
  readonly to: Host
  /** When the old leader was killed, or told to stop. */
  readonly lostAt: number
  /** When the new one was first seen to accept writes. */
  readonly writableAt: number
}

/** Told as it goes on. */
export interface Teller {
  /** What is going on now, in plain words. */
  now(text: string): void
  /** Something happened; `label` is what the latency strip says of it. */
  happened(text: string, label?: string): void
}

/** How long a cluster manager would take to be sure that the leader is gone; real ones take ten times that. */
const DETECTION_MILLIS = 2000

/** Lets the cluster lose its leader twice; resolves when all is well again. */
export async function play(cluster: Cluster, { now, happened }: Teller): Promise<Act[]> {
  const [first] = cluster.hosts
  if (first === undefined) throw new Error('the demo needs a cluster')
  now(`${first.name} leads, the others follow it. All is well.`)
  await sleep(4000)
  const kill = await killLeader(cluster, first, { now, happened })
  now(`${kill.to.name} leads and everybody who waited is being served.`)
  await sleep(3500)

  now(`${first.name} is repaired: it comes back as a standby of ${kill.to.name}.`)
  await cluster.rejoin(first, kill.to)
  happened(`${first.name} is back, as a standby of ${kill.to.name}`, 'back')
  await sleep(3000)

  const planned = await switchOver(cluster, kill.to, first, { now, happened })
  now(`${first.name} leads again, ${kill.to.name} follows it. All is well.`)
  await sleep(4500)
  return [kill, planned]
}

async function killLeader(cluster: Cluster, from: Host, { now, happened }: Teller): Promise<Act> {
  const standbys = cluster.hosts.filter((host) => host !== from)
  const watched = await Promise.all(
    standbys.map(async (host) => ({ host, watcher: await Watcher.park(cluster, host) })),
  )
  const lostAt = performance.now()
  now(`${from.name} was killed: callers wait, nobody gets an error.`)
  happened(`kill -9 of ${from.name}, the leader`, 'kill')
  await from.kill()
  await sleep(DETECTION_MILLIS)

  // As every cluster manager does: the standby that received the most loses the least.
  const received = await Promise.all(
    watched.map(async (each) => ({ ...each, position: await each.watcher.received() })),
  )
  const best = received.reduce((a, b) => (b.position > a.position ? b : a))
  const { host: to, watcher } = best
  now(`${to.name} has received the most and is promoted.`)
  const [writableAt] = await Promise.all([watcher.writable(), cluster.promote(to)])
  happened(`${to.name} was promoted and accepts writes`, `${to.name} leads`)
  await Promise.all(watched.map((each) => each.watcher.leave()))
  await Promise.all(standbys.filter((host) => host !== to).map((host) => follow(cluster, host, to)))
  return { title: 'kill -9', from, to, lostAt, writableAt }
}

async function follow(cluster: Cluster, host: Host, upstream: Host): Promise<void> {
  // It may have replayed what the new leader never received; then only a new copy helps.
  await cluster.repoint(host, upstream).catch(() => cluster.rejoin(host, upstream))
}

async function switchOver(cluster: Cluster, from: Host, to: Host, { now, happened }: Teller): Promise<Act> {
  const watcher = await Watcher.park(cluster, to)
  const lostAt = performance.now()
  now(`Planned switchover: ${from.name} stops cleanly, ${to.name} takes over.`)
  happened(`switchover from ${from.name} to ${to.name} begins`, 'switch')
  const writable = watcher.writable().then((at) => {
    happened(`${to.name} was promoted and accepts writes`, `${to.name} leads`)
    return at
  })
  const [writableAt] = await Promise.all([writable, cluster.switchover(to)])
  await watcher.leave()
  return { title: 'switchover', from, to, lostAt, writableAt }
}
