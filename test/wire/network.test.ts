import { describe, expect, it } from 'vitest'
import type { Pool, PoolConfig } from '../../src/index'
import { poll } from '../support/poll'
import type { FaultProxy } from '../support/fault-proxy'
import type { FakeServer } from './support/fake-server'
import { onStage } from './support/stage'
import type { Stage } from './support/stage'

const insert = 'insert into t values (1) returning n'
const unknown = 'OutcomeUnknownError unknown'

/** A pool that follows one host, over a proxy. The monitor does not speak by itself, so that bytes can be counted. */
async function reached(stage: Stage, config: PoolConfig = {}): Promise<Reached> {
  const server = await stage.server()
  const proxy = await stage.proxy(server)
  const pool = stage.pool([proxy], { monitor: { intervalMillis: 600_000, timeoutMillis: 500 }, ...config })
  await pool.query('select 1')
  return { server, proxy, pool }
}
interface Reached {
  readonly server: FakeServer
  readonly proxy: FaultProxy
  readonly pool: Pool
}

/** pg's types know no marks. */
const again = { text: 'select 1', idempotent: true }

describe('a connection that is cut', () => {
  it.each(['down', 'up'] as const)('at any byte of a statement, %s: nobody knows, until the last one', (direction) =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage)
      const outcomes: string[] = []
      while (outcomes.at(-1) !== 'INSERT 1') {
        // Over a client that was used just now: the statement is cut, and no question before it.
        await pool.query(again)
        const before = server.statements.length
        const answer = stage.outcome((callback) => pool.query(insert, callback))
        proxy.cutAfter(direction, outcomes.length + 1)
        outcomes.push(await answer)
        proxy.heal()
        expect(server.statements.slice(before).filter((text) => text === insert).length).toBeLessThan(2)
      }
      expect(outcomes.length).toBeGreaterThan(insert.length)
      expect(outcomes.slice(0, -1)).toEqual(outcomes.slice(1).map(() => unknown))
    }),
  )

  it('anywhere in a handshake: the statement goes over another one', () =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage)
      const outcomes: string[] = []
      while (outcomes.at(-1) !== unknown) {
        await pool.connect().then((client) => client.release(true))
        const { accepted, statements } = server
        const before = statements.length
        proxy.cutAfter('down', 3 * outcomes.length + 1)
        const answer = stage.outcome((callback) => pool.query(insert, callback))
        const anotherDial = poll(() => server.accepted > accepted + 1 || statements.length > before, {
          what: 'another dial',
        })
        await anotherDial.then(() => proxy.heal())
        outcomes.push(await answer)
        if (outcomes.at(-1) !== unknown) expect(statements.slice(before)).toEqual([insert])
      }
      // The handshake was over: it is the statement that was cut.
      expect(outcomes.length).toBeGreaterThan(20)
      expect(outcomes.slice(0, -1)).toEqual(outcomes.slice(1).map(() => 'INSERT 1'))
    }))
})

describe('a host that cannot be reached', () => {
  const quick = { monitor: { intervalMillis: 20, leaderlessIntervalMillis: 5, timeoutMillis: 100 } }

  it('stopped: callers are held until it is back, and nothing was sent twice', () =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage, quick)
      await proxy.stop()
      const held = [1, 2, 3].map(() => stage.outcome((callback) => pool.query(insert, callback)))
      await poll(() => pool.topology.leader === undefined, { what: 'nobody leads' })
      await proxy.start()
      const outcomes = await Promise.all(held)
      // The first may have gone over a client whose end had not been noticed.
      expect(outcomes.slice(1)).toEqual(['INSERT 1', 'INSERT 1'])
      expect(server.statements.filter((text) => text === insert)).toHaveLength(
        outcomes.filter((outcome) => outcome === 'INSERT 1').length,
      )
    }))

  it.each(['mute', 'refuse', 'blackHole'] as const)('%s: callers are held until it is healed', (how) =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage, { ...quick, aliveCheckMillis: 0 })
      await pool.connect().then((client) => client.release(true))
      proxy[how]()
      proxy.reset()
      await poll(() => pool.topology.leader === undefined, { what: 'nobody leads' })
      const held = [1, 2].map(() => stage.outcome((callback) => pool.query(insert, callback)))
      const { accepted } = proxy
      await poll(() => proxy.accepted > accepted, { what: 'it has been tried again' })
      proxy.heal()
      expect(await Promise.all(held)).toEqual(['INSERT 1', 'INSERT 1'])
      expect(server.statements.filter((text) => text === insert)).toHaveLength(2)
    }),
  )

  it('a black hole until the time is up: the caller is told why', () =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage, {
        ...quick,
        aliveCheckMillis: 0,
        failoverTimeoutMillis: 150,
      })
      proxy.blackHole()
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('08001')
      expect(server.statements).not.toContain(insert)
      proxy.reset()
    }))

  it('far away: everything takes long, and nothing is lost', () =>
    onStage(async (stage) => {
      const { server, proxy, pool } = await reached(stage)
      proxy.delay(10)
      const outcomes = [1, 2, 3].map(() => stage.outcome((callback) => pool.query(insert, callback)))
      expect(await Promise.all(outcomes)).toEqual(['INSERT 1', 'INSERT 1', 'INSERT 1'])
      expect(server.statements).toEqual(['select 1', insert, insert, insert])
    }))
})
