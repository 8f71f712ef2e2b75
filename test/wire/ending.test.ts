import { describe, expect, it } from 'vitest'
import { poll } from '../support/poll'
import { after, end, silence } from './support/fault'
import { onStage } from './support/stage'
import { anyStatement, kinds } from './support/statements'

/** What only monitors ask. */
const monitorQuestion = / as recovery/

describe('end() leaves nothing behind', () => {
  it('while the monitor waits for an answer over its parked session', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      await pool.query('select 1')
      server.on(monitorQuestion, after('statement', silence))
      await poll(() => server.pending === 0, { what: 'the question has arrived' })
      await pool.end()
    }))

  it.each(['connection', 'startup', 'authenticationOk', 'backendKeyData'] as const)(
    'while nobody has answered yet, silent after %s: callers are answered',
    (point) =>
      onStage(async (stage) => {
        const server = await stage.server()
        server.onEveryConnection(after(point, silence))
        const pool = stage.pool([server], { monitor: { timeoutMillis: 100 } })
        const held = [1, 2].map(() => stage.outcome((callback) => pool.query(kinds.write, callback)))
        await poll(() => server.connections > 0, { what: 'the host is asked' })
        const ending = pool.end()
        expect(await Promise.all(held)).toEqual(Array(2).fill('Cannot use a pool after calling end on the pool'))
        await ending
      }),
  )

  it('while a client is being connected, and its server is silent', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server], { connectionTimeoutMillis: 200, failoverTimeoutMillis: 200 })
      await pool.connect().then((client) => client.release(true))
      const { accepted } = server
      server.onConnection(after('startup', silence))
      const waiting = stage.outcome((callback) => pool.query(kinds.write, callback))
      await poll(() => server.accepted > accepted, { what: 'the client is dialled' })
      await pool.end()
      expect(await waiting).toBe('Connection terminated due to connection timeout')
      expect(server.statements).toEqual([])
    }))

  it('while a statement is under way: it has its answer first', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      let goOn = (): void => undefined
      server.on(
        anyStatement,
        after('statement', () => goOn()),
      )
      const ended = new Promise<void>((resolve) => (goOn = () => resolve(pool.end())))
      expect(await stage.outcome((callback) => pool.query(kinds.write, callback))).toBe('INSERT 1')
      await ended
    }))

  it('while a statement is to be sent again: it is not, and its caller is told', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      let ended: Promise<void> | undefined
      const endPool = (): void => {
        ended = pool.end()
      }
      server.on(anyStatement, after('statement', endPool, end))
      const outcome = await stage.outcome((callback) => pool.query(kinds['idempotent write'], callback))
      expect(outcome).toBe('OutcomeUnknownError unknown')
      expect(server.statements).toHaveLength(1)
      await ended
    }))
})
