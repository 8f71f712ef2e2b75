import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool, primary as onPrimary, readOnly, session } from '../../../src/index'
import { poll } from '../../support'
import { aStandby, useCluster } from '../pool/support/clusters'
import { carriers } from './support/carriers'

const cluster = useCluster({ hosts: 2 })
let leader: number

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query('create table written (n int)')
  await cluster().waitForReplication()
  // From here on the standby has nothing that is new, so that a session can be told by where it reads.
  await (await aStandby(cluster())).query('select pg_wal_replay_pause()')
  leader = primary.port
})

type Within = <T>(work: () => Promise<T>) => Promise<T>

const scopes: Readonly<Record<string, Within>> = {
  'no scope': (work) => work(),
  'readOnly()': (work) => readOnly(work),
  'primary()': (work) => onPrimary(work),
  'primary() in readOnly()': (work) => readOnly(() => onPrimary(work)),
  'readOnly() in primary()': (work) => onPrimary(() => readOnly(work)),
}
const readsIn = ['readOnly()', 'readOnly() in primary()']

/** A pool that knows its hosts, with one session to each, which was connected in this scope. */
async function open(within: Within): Promise<Pool> {
  const pool = new Pool({
    connectionString: cluster().connectionString(),
    max: 1,
    readOnly: { consistencyWaitMillis: 0 },
  })
  await within(() => pool.query({ text: 'select 1', readOnly: false }))
  await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby has answered' })
  await within(() => pool.readOnly.query('select 1'))
  return pool
}

const text = `select current_setting('port')::int as port`
const whereTo = async (pool: Pool, mark: object = {}): Promise<string> => {
  const { rows } = await pool.query<{ port: number }>({ text, ...mark })
  return rows[0]!.port === leader ? 'leader' : 'standby'
}

describe.each(Object.entries(scopes))('over sessions that were connected in %s', (_dialled, dialledIn) => {
  let pool: Pool
  beforeAll(async () => {
    pool = await open(dialledIn)
  })
  afterAll(() => pool.end())

  describe.each(Object.keys(carriers))('%s leads on in', (name) => {
    const carrier = carriers[name]!

    it.each(Object.entries(scopes))('%s', async (scope, within) => {
      const found = await within(() => carrier(() => whereTo(pool), pool))
      expect(found).toBe(readsIn.includes(scope) ? 'standby' : 'leader')
    })

    it('session(), which sees what it has written', async () => {
      const read = (): Promise<string> => carrier(() => whereTo(pool, { readOnly: true }), pool)
      const written = await session(async () => {
        await pool.query('insert into written values (1)')
        return read()
      })
      expect(written).toBe('leader')
      expect(await session(() => onPrimary(() => whereTo(pool, { readOnly: true })))).toBe('standby')
    })
  })
})

describe('who listens is where the event is told', () => {
  let pool: Pool
  beforeAll(async () => {
    pool = await open((work) => work())
  })
  afterAll(() => pool.end())

  it.each(['readOnly()', 'no scope'])('told in %s', async (scope) => {
    const emitter = new EventEmitter()
    const listens = scopes[scope === 'no scope' ? 'readOnly()' : 'no scope']!
    const heard = listens(
      () => new Promise<string>((resolve) => emitter.on('told', () => void whereTo(pool).then(resolve))),
    )
    await scopes[scope]!(async () => Promise.resolve(emitter.emit('told')))
    expect(await heard).toBe(scope === 'no scope' ? 'leader' : 'standby')
  })

  it('unless it was bound to where it comes from', async () => {
    const emitter = new EventEmitter()
    const heard = readOnly(
      () =>
        new Promise<string>((resolve) =>
          emitter.on(
            'told',
            AsyncResource.bind(() => void whereTo(pool).then(resolve)),
          ),
        ),
    )
    emitter.emit('told')
    expect(await heard).toBe('standby')
  })
})
