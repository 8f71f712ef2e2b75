import pg from 'pg'
import { describe, expectTypeOf, it } from 'vitest'
import * as ours from '../../src/index'
import { Client, outcomeTable, Pool, wrap } from '../../src/index'
import type {
  FailoverEvent,
  ListenNotification,
  StatementParser,
  Subscription,
  TopologySnapshot,
} from '../../src/index'
import { loadParser } from '../../src/parser'

declare const pool: Pool

describe('Pool', () => {
  it('goes wherever a pg.Pool goes', () => {
    expectTypeOf(pool).toExtend<pg.Pool>()
    expectTypeOf(new Client()).toExtend<pg.Client>()
    expectTypeOf(wrap(new pg.Pool(), { hosts: [{ host: 'a' }] })).toEqualTypeOf<Pool>()
    wrap(new pg.Pool(), { hosts: [{ host: 'a' }], readOnly: { maxLagMillis: 1000 }, consistency: 'eventual' })
    // @ts-expect-error no such way
    wrap(new pg.Pool(), { hosts: [{ host: 'a' }], consistency: 'strong' })
    expectTypeOf(pool.readOnly).toEqualTypeOf<pg.Pool>()
  })

  it('takes what pg takes, and our options', () => {
    expectTypeOf<pg.PoolConfig>().toExtend<NonNullable<ConstructorParameters<typeof Pool>[0]>>()
    expectTypeOf(
      new Pool({ host: 'a,b', port: '1,2', targetSessionAttrs: 'primary', monitor: false }),
    ).toEqualTypeOf<Pool>()
    new Pool({ outcome: 'witness' })
    new Pool({ outcome: { table: 'markers' } })
    new Pool({ outcome: { table: 'markers', maxAgeMillis: 3_600_000 } })
    expectTypeOf(outcomeTable('markers')).toEqualTypeOf<string>()
    // @ts-expect-error no name of a table
    new Pool({ outcome: { maxAgeMillis: 3_600_000 } })
    // @ts-expect-error no such way
    new Pool({ outcome: 'table' })
    // @ts-expect-error no such attribute
    new Pool({ targetSessionAttrs: 'master' })
  })

  it('answers queries with their row type, marked or not', () => {
    interface Row {
      id: number
    }
    expectTypeOf(pool.query<Row>('select 1 as id')).toEqualTypeOf<Promise<pg.QueryResult<Row>>>()
    expectTypeOf(pool.query<Row>({ text: 'select 1 as id', readOnly: true })).toEqualTypeOf<
      Promise<pg.QueryResult<Row>>
    >()
    expectTypeOf(pool.query<[number]>({ text: 'select 1', rowMode: 'array', idempotent: true })).toEqualTypeOf<
      Promise<pg.QueryArrayResult<[number]>>
    >()
  })

  it('gives positions, for reads and for transactions that read', async () => {
    const after = await pool.position()
    expectTypeOf(after).toEqualTypeOf<string>()
    void pool.query({ text: 'select 1', after })
    expectTypeOf(pool.transaction(() => 7, { readOnly: true, after })).toEqualTypeOf<Promise<number>>()
    // @ts-expect-error no position
    void pool.transaction(() => 7, { readOnly: true, after: 7 })
  })

  it('makes a handler tell a notification from a gap', () => {
    const listening = pool.listen('orders', (event) => {
      // @ts-expect-error a gap has no payload
      expectTypeOf(event.payload).toEqualTypeOf<string>()
      if (event.type === 'gap') expectTypeOf(event.millis).toEqualTypeOf<number>()
      else expectTypeOf(event).toEqualTypeOf<ListenNotification>()
    })
    expectTypeOf(listening).toEqualTypeOf<Promise<Subscription>>()
    expectTypeOf<Subscription>().toExtend<AsyncDisposable>()
    // @ts-expect-error no handler
    void pool.listen('orders')
  })

  it('tells listeners what they hear', () => {
    pool.on('failover', (failover) => expectTypeOf(failover).toEqualTypeOf<FailoverEvent>())
    pool.on('topology', (topology) => expectTypeOf(topology).toEqualTypeOf<TopologySnapshot>())
    pool.on('error', (error, client) => {
      expectTypeOf(error).toEqualTypeOf<Error>()
      expectTypeOf(client).toEqualTypeOf<pg.PoolClient>()
    })
    pool.on('connect', (client) => expectTypeOf(client).toEqualTypeOf<pg.PoolClient>())
  })
})

describe('the module', () => {
  it('has all that pg exports by name', () => {
    expectTypeOf<keyof typeof pg>().exclude<'native' | 'default'>().toExtend<keyof typeof ours>()
    expectTypeOf(ours.native).toEqualTypeOf<null>()
  })

  it('takes the parser that the subpath loads, not the promise of one', async () => {
    expectTypeOf(loadParser).returns.resolves.toEqualTypeOf<StatementParser>()
    new Pool({ readOnly: { routeReads: 'parsed', parser: await loadParser() } })
    // @ts-expect-error it is awaited
    new Pool({ readOnly: { routeReads: 'parsed', parser: loadParser() } })
    // @ts-expect-error no such way
    new Pool({ readOnly: { routeReads: 'guessed' } })
  })
})
