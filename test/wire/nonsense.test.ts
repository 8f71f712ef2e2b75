import { describe, expect, it } from 'vitest'
import { Pool } from '../../src/index'
import { authentication, header, int16, int32, message } from '../support/backend'
import { after, before, bytes, end, silence } from './support/fault'
import type { Action } from './support/fault'
import { lost } from './support/fates'
import { everyStatementMeets } from './support/meets'
import { onStage } from './support/stage'
import { kinds } from './support/statements'

const unknownType = message('?', int32(0))
/** pg-protocol reads past the end of these, or finds a number in them that cannot be. */
const emptyBodies = {
  'a DataRow without a body': message('D'),
  'a DataRow of minus one column': message('D', int16(-1)),
  'a RowDescription without a body': message('T'),
  'a RowDescription that promises too much': message('T', int16(3)),
  'a NotificationResponse without a body': message('A'),
  'an AuthenticationRequest of no known kind': authentication(99),
}
/** A parser looks for the end of these where there is none, and some do so for ever. */
const endless = {
  'an ErrorResponse without its last zero': message('E', 'SERROR\0C23505\0'),
  'a NoticeResponse that ends in a field': message('N', 'SWARNING'),
  'a CommandComplete without an end': message('C', 'INSERT'),
  'a ParameterStatus without a value': message('S', 'TimeZone\0'),
}
/** Says that more follows than ever will. */
const hugeLength = header('D', 0x7fffffff)
const http = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'

describe('an answer that makes no sense', () => {
  it.each([
    { what: 'a message of an unknown type', actions: [bytes(unknownType)] },
    { what: 'a message of an unknown type, EOF', actions: [bytes(unknownType), end] },
    { what: 'a message of an unknown type, silence', actions: [bytes(unknownType), silence] },
    { what: 'a huge length, EOF', actions: [bytes(hugeLength), end] },
    { what: 'HTTP, EOF', actions: [bytes(http), end] },
    ...Object.entries({ ...emptyBodies, ...endless }).map(([what, content]) => ({
      what,
      actions: [bytes(content), silence],
    })),
  ])('$what: nobody knows what became of the statement', ({ actions }) =>
    everyStatementMeets(after('statement', ...actions), lost),
  )
})

describe('a greeting that makes no sense', () => {
  const greetings: readonly { what: string; actions: readonly Action[] }[] = [
    { what: 'a message of an unknown type, silence', actions: [bytes(unknownType), silence] },
    { what: 'a huge length, EOF', actions: [bytes(hugeLength), end] },
    { what: 'HTTP, EOF', actions: [bytes(http), end] },
    ...Object.entries({ ...emptyBodies, ...endless }).map(([what, content]) => ({
      what,
      actions: [bytes(content), silence],
    })),
  ]
  it.each(greetings)('$what: the caller waits until the host has come to its senses', ({ actions }) =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      server.onConnection(before('authenticationOk', ...actions))
      expect(await stage.outcome((callback) => pool.query('select 1', callback))).toBe('SELECT 1')
      await pool.connect().then((client) => client.release(true))
      server.onConnection(before('authenticationOk', ...actions))
      expect(await stage.outcome((callback) => pool.query(kinds.write, callback))).toBe('INSERT 1')
      expect(server.statements).toEqual(['select 1', kinds.write.text])
    }),
  )
})

describe('on one host with none of our options', () => {
  it.each(Object.entries({ ...emptyBodies, ...endless }))(
    '%s: the statement and the dial fail, and the process lives',
    (_what, content) =>
      onStage(async (stage) => {
        const server = await stage.server()
        const pool = stage.plain(Pool, server)
        server.onConnection(before('authenticationOk', bytes(content), silence))
        expect(await stage.outcome((callback) => pool.query('select 1', callback))).toBe('08P01')
        server.on(/select 2/, after('statement', bytes(content), silence))
        expect(await stage.outcome((callback) => pool.query('select 2', callback))).toBe('08P01')
        expect(await stage.outcome((callback) => pool.query('select 3', callback))).toBe('SELECT 1')
      }),
  )
})
