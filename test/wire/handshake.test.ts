import { describe, expect, it } from 'vitest'
import { poll } from '../support/poll'
import { after, before, bytes, end, error, fatal, notice, reset, silence, within } from './support/fault'
import type { Action, Fault } from './support/fault'
import type { Authentication } from './support/greeting'
import { onStage } from './support/stage'
import { kinds } from './support/statements'

/** Every moment of a handshake, in order, and the authentication in which it comes. */
const moments = {
  'accepted, nothing said': [after('connection', end), 'trust'],
  'startup packet received': [after('startup', end), 'trust'],
  'within AuthenticationRequest': [within('authenticationRequest', end), 'password'],
  'after AuthenticationCleartextPassword': [after('authenticationRequest', end), 'password'],
  'cleartext password received': [after('password', end), 'password'],
  'after AuthenticationMD5Password': [after('authenticationRequest', end), 'md5'],
  'MD5 password received': [after('password', end), 'md5'],
  'after AuthenticationSASL': [after('authenticationRequest', end), 'scram'],
  'SASLInitialResponse received': [after('password', end), 'scram'],
  'within AuthenticationSASLContinue': [within('saslContinue', end), 'scram'],
  'after AuthenticationSASLContinue': [after('saslContinue', end), 'scram'],
  'after AuthenticationSASLFinal': [after('saslFinal', end), 'scram'],
  'after AuthenticationOk': [after('authenticationOk', end), 'trust'],
  'within ParameterStatus': [within('parameterStatus', end), 'trust'],
  'after ParameterStatus': [after('parameterStatus', end), 'trust'],
  'after BackendKeyData': [after('backendKeyData', end), 'trust'],
  'within ReadyForQuery': [within('readyForQuery', end), 'trust'],
} as const satisfies Record<string, readonly [Fault, Authentication]>

const all = Object.entries(moments).map(([moment, [{ point, place }, authentication]]) => ({
  moment,
  authentication,
  met: (...actions: readonly Action[]): Fault => ({ point, place, actions }),
}))

/** The same text is never sent twice by these: what was not sent is not lost. */
const insert = kinds.write.text

describe.each(all)('$moment', ({ authentication, met }) => {
  it.each([
    { how: 'EOF', actions: [end] },
    { how: 'reset', actions: [reset] },
  ])('$how in one dial of the pool: the statement goes over the next', ({ actions }) =>
    onStage(async (stage) => {
      const server = await stage.server({ authentication })
      const pool = stage.pool([server])
      await pool.connect().then((client) => client.release(true))
      server.onConnection(met(...actions))
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('INSERT 1')
      expect(server.statements).toEqual([insert])
    }),
  )

  it('EOF for everybody: callers are held until the host is well', () =>
    onStage(async (stage) => {
      const server = await stage.server({ authentication })
      server.onEveryConnection(met(end))
      const pool = stage.pool([server])
      const held = [1, 2, 3].map(() => stage.outcome((callback) => pool.query(insert, callback)))
      await poll(() => server.accepted > 3, { what: 'the host has been asked again and again' })
      server.heal()
      expect(await Promise.all(held)).toEqual(['INSERT 1', 'INSERT 1', 'INSERT 1'])
      expect(server.statements).toEqual([insert, insert, insert])
    }))

  it('silence for everybody: the caller is told when its time is up', () =>
    onStage(async (stage) => {
      const server = await stage.server({ authentication })
      server.onEveryConnection(met(silence))
      const pool = stage.pool([server], { failoverTimeoutMillis: 60, monitor: { timeoutMillis: 20 } })
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('08001')
      expect(server.statements).toEqual([])
    }))

  it('EOF and reset for a Client: it goes on to the next host', () =>
    onStage(async (stage) => {
      for (const actions of [[end], [reset]]) {
        const [broken, well] = [await stage.server({ authentication }), await stage.server({ authentication })]
        broken.onConnection(met(...actions))
        const client = stage.client([broken, well])
        const queued = stage.outcome((callback) => client.query(insert, callback))
        await client.connect()
        expect(await queued).toBe('INSERT 1')
        expect([broken.statements, well.statements]).toEqual([[], [insert]])
        await client.end()
      }
    }))
})

describe('a server that does not report its role and is asked', () => {
  const question = /^select pg_is_in_recovery\(\), /

  it.each([
    { how: 'EOF after the question', fault: after('statement', end) },
    { how: 'EOF after RowDescription', fault: after('rowDescription', end) },
    { how: 'EOF within DataRow', fault: within('dataRow', end) },
    { how: 'EOF after CommandComplete', fault: after('commandComplete', end) },
    { how: 'EOF within ReadyForQuery', fault: within('readyForQuery', end) },
    { how: 'reset', fault: after('dataRow', reset) },
    { how: 'an error', fault: after('statement', error('57P01')) },
    { how: 'FATAL 57P01, EOF', fault: after('statement', fatal('57P01'), end) },
  ])('$how: the statement goes over another connection', ({ fault }) =>
    onStage(async (stage) => {
      const server = await stage.server({ reportsRole: false })
      const pool = stage.pool([server])
      await pool.connect().then((client) => client.release(true))
      server.on(question, fault)
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('INSERT 1')
      expect(server.statements.filter((text) => text === insert)).toHaveLength(1)
    }),
  )
})

describe('what a server says in place of a greeting', () => {
  it.each(['57P03', '57P01', '57P02', '53300', 'XX000', '08P01'])(
    'FATAL %s is about the host: the caller waits',
    (code) =>
      onStage(async (stage) => {
        const server = await stage.server()
        const pool = stage.pool([server])
        await pool.connect().then((client) => client.release(true))
        server.onConnection(before('authenticationOk', fatal(code), end))
        expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('INSERT 1')
        expect(server.statements).toEqual([insert])
      }),
  )

  it.each(['28P01', '28000', '3D000', '42501'])('FATAL %s is about the caller, who is told at once', (code) =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      await pool.connect().then((client) => client.release(true))
      server.onConnection(before('authenticationOk', fatal(code), end))
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe(`FATAL ${code}`)
      server.onEveryConnection(before('authenticationOk', fatal(code), end))
      const other = stage.pool([server])
      expect(await stage.outcome((callback) => other.query(insert, callback))).toBe(`FATAL ${code}`)
      expect(server.statements).toEqual([])
    }),
  )

  it('a notice of a shutdown, then EOF: the caller waits', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      await pool.connect().then((client) => client.release(true))
      server.onConnection(after('backendKeyData', notice('57P01'), end))
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('INSERT 1')
    }))
})

describe('an SSLRequest', () => {
  it.each([
    { how: 'N', fault: after('sslAnswer', end) },
    { how: 'EOF', fault: after('sslRequest', end) },
    { how: 'reset', fault: after('sslRequest', reset) },
    { how: 'an error message', fault: before('sslAnswer', fatal('53300'), end) },
    { how: 'HTTP', fault: before('sslAnswer', bytes('HTTP/1.1 400 Bad Request\r\n\r\n'), end) },
    { how: 'S and then no TLS', fault: before('sslAnswer', bytes('S'), bytes('no TLS record'), end) },
  ])('answered by $how: no host is reached in plain text, and the caller is told when its time is up', ({ fault }) =>
    onStage(async (stage) => {
      const server = await stage.server()
      server.onEveryConnection(fault)
      const pool = stage.pool([server], { ssl: { rejectUnauthorized: false }, failoverTimeoutMillis: 60 })
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('08001')
      expect(server.statements).toEqual([])
    }),
  )
})
