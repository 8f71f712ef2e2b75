import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../../../../soak/answer'
import type { Remains, SoakClient, Take } from '../../../../soak/client'
import { promote, readForks } from '../../../../soak/history'
import type { Promotion } from '../../../../soak/history'
import { settle } from '../../../../soak/ledger'
import type { Books } from '../../../../soak/ledger'
import { tables } from '../../../../soak/workers'
import type { HostRole } from '../../../../src/index'
import { poll } from '../../../support'
import type { Cluster, Host } from '../../../support'
import { startChild } from '../../../support/child'
import type { Child } from '../../../support/child'
import { heal } from '../../../support/heal'
import { connectionStringThrough } from './network'
import type { Network } from './network'

const program = fileURLToPath(new URL('../../../../soak/client.ts', import.meta.url))

/** The longest hold. */
const failoverTimeoutMillis = 30_000
const monitorIntervalMillis = 250

/**
 * Attempts to connect to one host in one second: a monitor makes one every 25 ms while nobody leads, and a new leader (or
 * a standby, in advance) gets 12 sessions for the pool.
 */
const mostConnects = 40 + 2 * 12

/** What the callers were told, and what there is to it. */
interface Scene {
  readonly name: string
  readonly client: Child<SoakClient>
  readonly answers: Answer[]
  /** What is new, and whom the pool follows. */
  look(): Promise<Take>
  /** Until every caller has been answered for a call that it began from now on. */
  everybodyServed(): Promise<void>
  stop(): Promise<Remains>
}

interface Ground {
  readonly cluster: Cluster
  readonly network: Network
}

/** A process under test behind a network that is cut in every way; the servers go on seeing each other. */
export function describePartitions(how: string, start: () => Promise<Ground>): void {
  describe(`partitions, ${how}`, () => partitions(start))
}

function partitions(start: () => Promise<Ground>): void {
  let cluster: Cluster
  let network: Network
  const promotions: Promotion[] = []
  const scenes: Scene[] = []
  const books: { readonly name: string; readonly answers: readonly Answer[]; readonly open: Books['open'] }[] = []

  beforeAll(async () => {
    ;({ cluster, network } = await start())
    const primary = await cluster.primary()
    for (const table of tables) await primary.query(table)
  })
  afterEach(async () => {
    await Promise.all(scenes.splice(0).map(({ client }) => client.kill()))
    await network.heal()
    await heal(cluster)
  })
  afterAll(async () => {
    await network?.end()
    await cluster?.stop()
  })

  async function begin(name: string): Promise<Scene> {
    await cluster.waitForReplication()
    const client = await startChild<SoakClient>({ path: program, through: network.through })
    await network.attach(client.pid)
    const answers: Answer[] = []
    const look = async (): Promise<Take> => {
      const take = await client.call('take', undefined)
      answers.push(...take.answers)
      return take
    }
    const scene: Scene = {
      name,
      client,
      answers,
      look,
      async everybodyServed() {
        await look()
        const [from, callers] = [answers.length, new Set(answers.map(callerOf))]
        const last = Math.max(...answers.map(({ startedAt }) => startedAt))
        await poll(
          async () => {
            await look()
            const served = answers
              .slice(from)
              .filter(({ startedAt, ending }) => startedAt > last && ending === 'acknowledged')
            return new Set(served.map(callerOf)).size === callers.size
          },
          { what: 'every caller is served', intervalMillis: 20 },
        )
      },
      async stop() {
        const remains = await client.call('stop', { graceMillis: failoverTimeoutMillis })
        answers.push(...remains.answers)
        books.push({ name, answers, open: remains.open })
        return remains
      },
    }
    scenes.push(scene)
    const connectionString = connectionStringThrough(network, cluster)
    await client.call('start', { name, connectionString, failoverTimeoutMillis, monitorIntervalMillis, lossy: false })
    return scene
  }

  /** Nothing hung, failed, was said wrongly, lost or done twice, and there was no storm. */
  async function expectNoHarm({ name }: Scene, remains: Remains): Promise<void> {
    const found = await settled(name)
    expect(found).toMatchObject({ hung: [], failed: [], wrong: [], duplicated: [], lost: 0 })
    expect(remains).toMatchObject({ open: [], resources: [], strays: [] })
    for (const [host, most] of Object.entries(remains.busiest)) expect(most, host).toBeLessThanOrEqual(mostConnects)
  }

  async function settled(name: string): Promise<ReturnType<typeof settle>> {
    const primary = await cluster.primary()
    const rows = await primary.query<{ id: string; count: number }>(
      `select id, count(*)::int as count from (select id from soak union all select id from soak_once) as all_rows
       where id like $1 group by id`,
      [`${name}/%`],
    )
    const { answers, open } = books.find((each) => each.name === name)!
    const written = new Map(rows.map(({ id, count }) => [id, count]))
    const forks = await readForks(primary, promotions)
    return settle({ answers, open, written, forks, longestCallMillis: failoverTimeoutMillis, staleMillis: 0 })
  }

  /** The leader as everybody but the process under test knows it, and the others. */
  async function roles(): Promise<[Host, Host, Host]> {
    const primary = await cluster.primary()
    const [one, other] = cluster.hosts.filter((host) => host !== primary)
    return [primary, one!, other!]
  }

  /** Until the pool believes so of a host. */
  const believes = (scene: Scene, host: Host, role: HostRole): Promise<unknown> =>
    poll(async () => (await scene.look()).roles[network.keyOf(host)] === role, {
      what: `the pool takes ${host.name} for ${role}`,
      intervalMillis: 20,
    })

  it.each([
    ['what is said to it', 'up'],
    ['what it says', 'down'],
  ] as const)('cut from the leader alone, one way, %s: callers are held until it heals', async (_what, direction) => {
    const scene = await begin(direction)
    const [leader] = await roles()
    await network.cut(leader, direction)
    await believes(scene, leader, 'unknown')
    await network.heal()
    await believes(scene, leader, 'leader')
    await scene.everybodyServed()
    await expectNoHarm(scene, await scene.stop())
  })

  it('cut from the leader, which lives on, and another is promoted: follows it, and never goes back', async () => {
    const scene = await begin('replaced')
    const [old, next] = await roles()
    await network.cut(old, 'up', 'down')
    // Whatever it acknowledged, and was heard, has reached the next one.
    await believes(scene, old, 'unknown')
    await cluster.waitForReplication()
    await promote(cluster, next, promotions)
    await scene.everybodyServed()
    const { generation } = await scene.look()
    await network.heal()
    await believes(scene, old, 'stale')
    await scene.everybodyServed()
    const after = await scene.look()
    expect(after.roles).toMatchObject({ [network.keyOf(old)]: 'stale', [network.keyOf(next)]: 'leader' })
    expect(after.generation).toBe(generation)
    await expectNoHarm(scene, await scene.stop())
  })

  it('cut from a standby that is promoted, while a synchronous leader lives on: nothing it says is lost', async () => {
    const scene = await begin('synchronous')
    const [old, next] = await roles()
    await old.query(`alter system set synchronous_standby_names = '${next.name}'`)
    await old.query('select pg_reload_conf()')
    await scene.everybodyServed()
    await network.cut(next, 'up', 'down')
    await scene.everybodyServed()
    await promote(cluster, next, promotions)
    // Writes go on to the only leader that is in sight, and are not acknowledged.
    await poll(async () => (await old.query(waiting)).length > 0, { what: 'a write waits for the standby that was' })
    await network.heal()
    await believes(scene, next, 'leader')
    await scene.everybodyServed()
    await expectNoHarm(scene, await scene.stop())
  })

  it('cut from one standby: nobody notices', async () => {
    const scene = await begin('standby')
    const [leader, standby] = await roles()
    const { generation } = await scene.look()
    await network.cut(standby, 'up', 'down')
    await believes(scene, standby, 'unknown')
    await scene.everybodyServed()
    await network.heal()
    await believes(scene, standby, 'standby')
    const after = await scene.look()
    expect(after.roles[network.keyOf(leader)]).toBe('leader')
    expect(after.generation).toBe(generation)
    const remains = await scene.stop()
    expect(scene.answers.filter(({ ending }) => ending !== 'acknowledged')).toEqual([])
    await expectNoHarm(scene, remains)
  })

  it('cut from all: callers are held, and the same pool serves when it heals', async () => {
    const scene = await begin('all')
    for (const host of cluster.hosts) await network.cut(host, 'up', 'down')
    for (const host of cluster.hosts) await believes(scene, host, 'unknown')
    await network.heal()
    await scene.everybodyServed()
    const [leader, ...standbys] = await roles()
    await believes(scene, leader, 'leader')
    for (const standby of standbys) await believes(scene, standby, 'standby')
    await expectNoHarm(scene, await scene.stop())
  })

  it('nothing arrives late that was said not to be done', async () => {
    // Sockets that were given up in a cut: the system goes on sending what was left in them.
    for (const { name } of books)
      expect(await settled(name), name).toMatchObject({ wrong: [], duplicated: [], lost: 0 })
  })
}

const waiting = `select from pg_stat_activity where application_name = 'pg-leader-soak' and wait_event = 'SyncRep'`

function callerOf({ kind, worker }: Answer): string {
  return `${kind}/${worker}`
}
