// npm run soak: a cluster in chaos, a pool that has to live with it, and a ledger of what became of every call.
import { fileURLToPath } from 'node:url'
import { sharedNow } from '../bench/support/clock'
import { readFlags } from '../bench/support/flags'
import { startCluster, poll } from '../test/support'
import type { Cluster } from '../test/support'
import { startChild } from '../test/support/child'
import type { Child } from '../test/support/child'
import type { Answer } from './answer'
import { wreakHavoc } from './chaos'
import type { SoakClient } from './client'
import { readForks } from './history'
import { settle } from './ledger'
import { report } from './report'
import { tables } from './workers'

/** The longest hold; the leader is never away for so long. */
const failoverTimeoutMillis = 30_000
const monitorIntervalMillis = 250
/**
 * Between a promotion and the last write that may be begun on the server it replaced: one interval and one probe, which
 * gives up after a second. As much again, and the longest that a fault blocks the event loop, are the machine's.
 */
const staleMillis = 2 * (monitorIntervalMillis + 1000) + 5000

const print = (text: string): void => console.log(text)

async function main(): Promise<number> {
  const { minutes, seed, hosts } = readFlags(process.argv.slice(2), {
    minutes: 2,
    seed: Math.floor(Math.random() * 2 ** 31),
    hosts: 3,
  })
  print(`npm run soak -- --minutes ${minutes} --seed ${seed} --hosts ${hosts}`)
  const cluster = await startCluster({
    hosts,
    // Somebody is always at a COMMIT: it takes 5 ms before it is flushed, and 15 more until a standby has applied it. A
    // server that dies in between has committed what nobody was told of.
    settings: {
      commit_delay: '5000',
      commit_siblings: '0',
      synchronous_commit: 'remote_apply',
      recovery_min_apply_delay: '15ms',
    },
    synchronousStandbyNames: '*',
  })
  const client = await startChild<SoakClient>({
    path: fileURLToPath(new URL('./client.ts', import.meta.url)),
    nodeFlags: ['--expose-gc'],
  })
  try {
    return (await soak(cluster, client, { minutes, seed })) ? 0 : 1
  } finally {
    await client.kill()
    await cluster.stop()
  }
}

async function soak(
  cluster: Cluster,
  client: Child<SoakClient>,
  { minutes, seed }: { minutes: number; seed: number },
): Promise<boolean> {
  const begin = await cluster.primary()
  for (const table of tables) await begin.query(table)
  await client.call('start', {
    name: 'soak',
    connectionString: cluster.connectionString(),
    failoverTimeoutMillis,
    monitorIntervalMillis,
    lossy: true,
  })
  const startedAt = sharedNow()
  const say = (line: string): void => print(`${((sharedNow() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  const answers: Answer[] = []
  const heapBytes: number[] = []
  const sockets: number[] = []
  const look = async (): Promise<void> => {
    const take = await client.call('take', undefined)
    for (const answer of take.answers) answers.push(answer)
    heapBytes.push(take.heapBytes)
    sockets.push(take.sockets)
  }
  const looking = watch(look)
  const chaos = await wreakHavoc(cluster, client, { seed, until: startedAt + minutes * 60_000, say })
  await looking.stop()
  say('the cluster is whole again')
  const remains = await client.call('stop', { graceMillis: failoverTimeoutMillis })
  for (const answer of remains.answers) answers.push(answer)

  const primary = await cluster.primary()
  const rows = await primary.query<{ id: string; count: number }>(
    'select id, count(*)::int as count from (select id from soak union all select id from soak_once) as all_rows group by id',
  )
  const books = {
    answers,
    open: remains.open,
    written: new Map(rows.map(({ id, count }) => [id, count])),
    forks: await readForks(primary, chaos.promotions),
    longestCallMillis: failoverTimeoutMillis,
    staleMillis,
  }
  const { resources, strays } = remains
  return report(
    settle(books),
    { heapBytes, sockets, resources, strays, backends: await backendsLeft(cluster) },
    chaos,
    print,
  )
}

/** Looks once a second. */
function watch(look: () => Promise<void>): { stop(): Promise<void> } {
  let stopping = false
  const run = async (): Promise<void> => {
    while (!stopping) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
  const running = run()
  return {
    stop: () => {
      stopping = true
      return running
    },
  }
}

/** Sessions of the pool that its servers still hold, when those that had just been closed had the time to go. */
async function backendsLeft(cluster: Cluster): Promise<readonly string[]> {
  const text = `select backend_type || ', ' || state as what from pg_stat_activity where application_name = 'pg-leader-soak'`
  const left = new Map<string, readonly string[]>()
  const none = async (): Promise<boolean> => {
    for (const host of cluster.hosts) {
      const found = await host.query<{ what: string }>(text)
      left.set(
        host.name,
        found.map(({ what }) => `${what}, a session on ${host.name} after pool.end()`),
      )
    }
    return [...left.values()].flat().length === 0
  }
  await poll(none, { what: 'no session is left', intervalMillis: 100, timeoutMillis: 5000 }).catch(() => undefined)
  return [...left.values()].flat()
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error)
    process.exit(2)
  },
)
