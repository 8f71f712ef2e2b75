import { describe, expect, it } from 'vitest'
import { gatherFacts, isPlainRefusal } from '../../../src/execution/verdict'
import { dialled } from '../pool/support/fake-client'

/** A server names the routine that raised an error; a pooler that made one up has none to name. */
const fromServer = (code: string): Error =>
  Object.assign(new Error(code), { code, severity: 'FEHLER', routine: 'exec_stmt_raise' })
const fromPooler = (code: string): Error => Object.assign(new Error(code), { code, severity: 'ERROR' })

describe('isPlainRefusal', () => {
  it.each(['23505', '42P01', '40P01', '57014', 'P0001', '08P01', '08006'])('%s is one', (code) => {
    expect(isPlainRefusal(fromServer(code), dialled().session)).toBe(true)
  })

  it.each(['57P01', '57P02', '57P03', '57P05', '25006', '0A000', '55000', 'XX000', '40001'])(
    '%s is looked into',
    (code) => {
      expect(isPlainRefusal(fromServer(code), dialled().session)).toBe(false)
    },
  )

  it.each(['08P01', '08006', '08000', '08003'])("a pooler's %s is looked into", (code) => {
    expect(isPlainRefusal(fromPooler(code), dialled().session)).toBe(false)
  })

  it.each(['23505', '57014'])("a pooler's %s is one", (code) => {
    expect(isPlainRefusal(fromPooler(code), dialled().session)).toBe(true)
  })

  it('is nothing that ended the connection, nor what no server said', () => {
    const { session } = dialled()
    session.broken = true
    expect(isPlainRefusal(fromServer('23505'), session)).toBe(false)
    expect(isPlainRefusal(new Error('Query read timeout'), dialled().session)).toBe(false)
  })
})

describe('gatherFacts', () => {
  it('tells a query_timeout from a lost connection, although we cut the socket for it', async () => {
    const { session } = dialled()
    session.broken = true
    const facts = await gatherFacts(new Error('Query read timeout'), session)
    expect(facts).toEqual({
      sqlstate: undefined,
      fromPooler: false,
      connectionLost: false,
      warned: false,
      committed: false,
      timedOut: true,
    })
  })

  it('is not deceived by a server that says the same words', async () => {
    const error = Object.assign(fromServer('P0001'), { message: 'Query read timeout' })
    const facts = await gatherFacts(error, dialled().session)
    expect(facts).toEqual({
      sqlstate: 'P0001',
      fromPooler: false,
      connectionLost: false,
      warned: false,
      committed: false,
      timedOut: false,
    })
  })

  it('knows of the warning that came first', async () => {
    const { session } = dialled()
    Object.assign(session, { broken: true, warned: true })
    const facts = await gatherFacts(new Error('Connection terminated unexpectedly'), session)
    expect(facts).toEqual({
      sqlstate: undefined,
      fromPooler: false,
      connectionLost: true,
      warned: true,
      committed: false,
      timedOut: false,
    })
  })

  it('tells what a pooler said from what a server said', async () => {
    const { session } = dialled()
    expect(await gatherFacts(fromPooler('08P01'), session)).toMatchObject({ sqlstate: '08P01', fromPooler: true })
    expect(await gatherFacts(fromServer('08P01'), session)).toMatchObject({ sqlstate: '08P01', fromPooler: false })
    expect(await gatherFacts(new Error('socket'), session)).toMatchObject({ sqlstate: undefined, fromPooler: false })
  })

  it('waits for the end that 57P01 announced', async () => {
    const { client, session } = dialled()
    const facts = gatherFacts(fromServer('57P01'), session)
    session.broken = true
    client.connection.emit('end')
    expect(await facts).toMatchObject({ sqlstate: '57P01', connectionLost: true })
  })
})
