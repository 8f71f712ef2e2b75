import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { Pool } from '../../src/index'
import { poll } from '../support/poll'
import { dataRow, message } from '../support/backend'
import { after, before, bytes, end, error, fatal, notice, poolerError, reset, silence, within } from './support/fault'
import type { Action, Fault, Point } from './support/fault'
import { describeError, onStage } from './support/stage'
import type { AnyPool, Stage } from './support/stage'
import { anyStatement, everyWay, send } from './support/statements'

const ours = Pool as unknown as AnyPool

/** On one host with none of our options a moment ends as it does in pg.Pool. */
async function bothSee<T>(see: (Class: AnyPool) => Promise<T>): Promise<void> {
  const [theirs, mine] = await Promise.all([see(pg.Pool as unknown as AnyPool), see(ours)])
  expect(mine).toEqual(theirs)
}

const points: readonly Point[] = ['statement', 'rowDescription', 'dataRow', 'commandComplete', 'readyForQuery']
const endings: Readonly<Record<string, readonly Action[]>> = {
  EOF: [end],
  reset: [reset],
  'FATAL 57P01, EOF': [fatal('57P01'), end],
  'notice 57P02, EOF': [notice('57P02'), end],
  'ERROR 23505': [error('23505')],
  'ERROR 25006': [error('25006')],
  '08P01 of a pooler': [poolerError('08P01')],
  'a message of an unknown type, EOF': [bytes(message('?')), end],
}

describe('pool.query', () => {
  it.each(points.flatMap((point) => Object.keys(endings).map((how) => [point, how] as const)))(
    'after %s: %s',
    (point, how) => onStage((stage) => bothSee((Class) => statements(stage, Class, after(point, ...endings[how]!)))),
  )

  it.each(['rowDescription', 'dataRow', 'commandComplete', 'readyForQuery'] as const)('EOF within %s', (point) =>
    onStage((stage) => bothSee((Class) => statements(stage, Class, within(point, end)))),
  )
})

function statements(stage: Stage, Class: AnyPool, fault: Fault): Promise<object> {
  return everyWay(async (kind, protocol) => {
    const server = await stage.server()
    const pool = stage.plain(Class, server)
    const sender = kind === 'readOnly read' ? readersOf(pool) : pool
    await sender.connect().then((client) => client.release())
    const events = eventsOf(sender)
    server.on(anyStatement, fault)
    const outcome = await send(stage, { pool, server, kind, protocol })
    // The session was ended, or its client released with the error: it goes either way.
    await poll(() => events.includes('remove'), { what: 'the client is gone' })
    const { totalCount, idleCount } = sender
    return JSON.stringify({ outcome, events, totalCount, idleCount })
  })
}

/** Whose sessions marked reads go over: ours have a pool of their own, which is as pg's is. */
function readersOf(pool: pg.Pool): pg.Pool {
  return pool instanceof Pool ? pool.readOnly : pool
}

/** What listeners of the pool hear from now on. */
function eventsOf(pool: pg.Pool): readonly string[] {
  const events: string[] = []
  pool.on('error', (given) => events.push(`error ${describeError(given)}`))
  for (const name of ['connect', 'acquire', 'remove'] as const) pool.on(name, () => events.push(name))
  pool.on('release', (given: unknown) => events.push(`release ${given ? describeError(given) : ''}`))
  return events
}

describe('connecting', () => {
  it.each([
    'connection',
    'startup',
    'authenticationRequest',
    'password',
    'saslContinue',
    'saslFinal',
    'authenticationOk',
    'parameterStatus',
    'backendKeyData',
  ] as const)('after %s: EOF, reset, FATAL', (point) =>
    onStage((stage) =>
      bothSee((Class) =>
        Promise.all(
          [[end], [reset], [fatal('57P03'), end], [fatal('28P01'), end], [fatal('53300'), end]].map((actions) =>
            connecting(stage, Class, after(point, ...actions)),
          ),
        ),
      ),
    ),
  )

  it('answered by silence, and connectionTimeoutMillis', () =>
    onStage((stage) =>
      bothSee((Class) =>
        connecting(stage, Class, before('authenticationOk', silence), { connectionTimeoutMillis: 50 }),
      ),
    ))
})

async function connecting(stage: Stage, Class: AnyPool, fault: Fault, options = {}): Promise<readonly string[]> {
  const server = await stage.server({ authentication: 'scram' })
  server.onConnection(fault)
  const pool = stage.plain(Class, server, options)
  const lines: string[] = []
  for (let time = 0; time < 2; time += 1) {
    lines.push(await stage.outcome((callback) => pool.query('select 1', callback)), `left ${pool.totalCount}`)
  }
  return [...lines, ...server.statements]
}

/** Before that, pg ends the process over a row that nobody asked for; ours does not (idle.test.ts), so there is no comparing. */
const isPgReady = /unexpected dataRow/.test(
  String((pg.Client.prototype as unknown as Record<string, unknown>)['_handleDataRow']),
)

const idleEndings: Readonly<Record<string, readonly Action[]>> = {
  EOF: [end],
  reset: [reset],
  'FATAL 57P01, EOF': [fatal('57P01'), end],
  'FATAL 57P05, EOF': [fatal('57P05'), end],
  'notice 57P01, EOF': [notice('57P01'), end],
  'a message of an unknown type': [bytes(message('?'))],
  ...(isPgReady && { 'a DataRow nobody asked for': [bytes(dataRow(['1']))] }),
}

describe('an idle client', () => {
  it.each(Object.entries(idleEndings))('%s', (_how, actions) =>
    onStage((stage) =>
      bothSee(async (Class) => {
        const server = await stage.server()
        const pool = stage.plain(Class, server)
        await pool.query('select 1')
        const events = eventsOf(pool)
        server.toAll(...actions)
        await poll(() => pool.totalCount === 0, { what: 'the client is gone' })
        await poll(() => server.connections === 0, { what: 'and its connection' })
        return [...events, await stage.outcome((callback) => pool.query('select 2', callback))]
      }),
    ),
  )
})
