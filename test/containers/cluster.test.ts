import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { poll } from '../support'
import { heal, keyOf } from '../integration/pool/support/clusters'
import { countRows, createTable, startLoad } from '../integration/pool/support/load'
import { usePools } from '../integration/pool/support/pools'
import type { Watched } from '../integration/pool/support/pools'
import { listenTo } from '../integration/listen/support/ear'
import { isOutcomeUnknownError } from '../../src/index'
import type { ContainerCluster } from './support/container-cluster'
import type { ContainerHost } from './support/container-host'

interface Scene {
  readonly what: string
  /** What is done to the leader; the one that is to lead then. */
  readonly fault: (leader: ContainerHost, standby: ContainerHost) => Promise<ContainerHost>
  /** Brings the old leader back, if it lives on believing that it leads. */
  readonly comeBack?: (old: ContainerHost) => Promise<void>
}

describe.skipIf(!inject('engine'))('a cluster of containers', () => {
  let cluster: ContainerCluster
  const makePool = usePools()

  beforeAll(async () => {
    // Not before there is an engine: to load it takes a second.
    const { ContainerCluster } = await import('./support/container-cluster')
    cluster = await ContainerCluster.start({ settings: { log_statement: 'all' } })
    await (await leader()).query(createTable)
  })
  afterAll(() => cluster?.stop())
  beforeEach(() => heal(cluster))

  const leader = async (): Promise<ContainerHost> => {
    const primary = await cluster.primary()
    return cluster.hosts.find((host) => host === primary)!
  }

  function following(): Watched {
    return makePool({
      connectionString: cluster.connectionString(),
      monitor: { intervalMillis: 200, timeoutMillis: 500 },
    })
  }

  const promoted = async (standby: ContainerHost): Promise<ContainerHost> => {
    await cluster.promote(standby)
    return standby
  }

  const scenes: Scene[] = [
    {
      what: 'killed, and a standby promoted',
      fault: async (old, standby) => {
        await old.kill()
        return promoted(standby)
      },
    },
    {
      what: 'paused, and a standby promoted',
      fault: async (old, standby) => {
        await old.freeze()
        return promoted(standby)
      },
      comeBack: (old) => old.thaw(),
    },
    {
      what: 'disconnected from its network, and a standby promoted',
      fault: async (old, standby) => {
        await old.disconnect()
        return promoted(standby)
      },
      comeBack: (old) => old.reconnect(),
    },
    {
      what: 'disconnected from its network, and connected again',
      fault: async (old) => {
        await old.disconnect()
        await old.reconnect()
        return old
      },
    },
    {
      what: 'paused, and woken up again',
      fault: async (old) => {
        await old.freeze()
        await old.thaw()
        return old
      },
    },
    {
      what: 'restarted in place',
      fault: async (old) => {
        await old.restart('fast')
        return old
      },
    },
    {
      what: 'killed, and started again in place',
      fault: async (old) => {
        await old.restart('kill')
        return old
      },
    },
    {
      what: 'stopped for a planned switchover',
      fault: async (_old, standby) => {
        await cluster.switchover(standby)
        return standby
      },
    },
  ]

  it.each(scenes)('under load, its leader is $what', async ({ what, fault, comeBack }) => {
    const { pool } = following()
    const ear = await listenTo(pool, 'containers')
    const load = startLoad(pool, what, 2)
    await load.everybodyServed()
    const old = await leader()
    const standby = cluster.hosts.find((host) => host !== old)!
    const next = await fault(old, standby)
    await load.everybodyServed()
    expect(pool.topology.leader).toBe(keyOf(next))

    if (comeBack !== undefined) {
      await comeBack(old)
      const role = (): string | undefined => pool.topology.hosts.find(({ host }) => host === keyOf(old))?.role
      await poll(() => role() === 'stale', { what: 'the old leader is seen again, and not taken for one' })
      const after = startLoad(pool, `${what}, afterwards`, 2)
      await after.everybodyServed()
      await after.stop()
      for (const kind of [after.reads, after.idempotent, after.writes]) {
        expect([...kind.failed, ...kind.unknown]).toEqual([])
      }
      expect(await old.log()).not.toContain(`${what}, afterwards`)
    }
    await load.stop()
    for (const kind of [load.reads, load.idempotent]) expect([...kind.failed, ...kind.unknown]).toEqual([])
    expect(load.writes.failed).toEqual([])
    const rows = await countRows(pool, what)
    const counts = [...rows].filter(([id]) => id.includes('/writes/')).map(([, count]) => count)
    expect(Math.max(...counts)).toBe(1)

    const heard = `after ${what}`
    await pool.query({ text: `select pg_notify('containers', $1)`, values: [heard], idempotent: true })
    await ear.hears(heard)
    if (next !== old) expect(ear.told.filter((told) => told === 'gap')).toEqual(['gap'])
  })

  /**
   * The ports of containers are mapped: the server sees another address than our socket has. So the path is not known to be direct, and a
   * COMMIT without an answer may rightly stay unknown. What is answered has to be true.
   */
  it('transactions are committed once, or not at all, or said to be of unknown outcome', async () => {
    const { pool } = following()
    const verdicts: { id: string; verdict: 'committed' | 'unknown' }[] = []
    const failed: unknown[] = []
    const work = { stopped: false }
    const writer = async (name: number): Promise<void> => {
      for (let count = 0; !work.stopped; count += 1) {
        const id = `transaction/${name}/${count}`
        try {
          await pool.transaction((client) => client.query('insert into written values ($1)', [id]))
          verdicts.push({ id, verdict: 'committed' })
        } catch (error) {
          if (isOutcomeUnknownError(error)) verdicts.push({ id, verdict: 'unknown' })
          else failed.push(error)
        }
      }
    }
    const writers = Promise.all([1, 2, 3, 4].map(writer))
    const old = await leader()
    const standby = cluster.hosts.find((host) => host !== old)!
    const served = async (): Promise<void> => {
      const before = verdicts.length
      await poll(() => verdicts.length > before + 50, { what: 'the writers go on' })
    }
    await served()
    await cluster.switchover(standby)
    await served()
    const known = verdicts.filter(({ verdict }) => verdict === 'committed').map(({ id }) => id)
    const rows = await countRows(pool, 'transaction')
    // In a switchover nothing that was acknowledged is lost.
    expect(known.filter((id) => !rows.has(id))).toEqual([])

    await cluster.failover(old)
    await served()
    work.stopped = true
    await writers
    expect(failed).toEqual([])
    expect(Math.max(...(await countRows(pool, 'transaction')).values())).toBe(1)
  })
})
