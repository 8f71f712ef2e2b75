import { describe, expect, it } from 'vitest'
import { commitQuestion, readWitness, witnessQuestion } from '../../../src/execution/witness'
import { dialled } from '../pool/support/fake-client'

const witness = { xid: '700', lsn: '0/100' }
const server = { system_identifier: 'X', timeline: '1', started: 's1', replay_lsn: null, stats_reset: 'z1' }
const path = { client_address: '127.0.0.1', client_port: '9', pid: '1' }
const told = { ...witness, ...server, ...path }

/** A session on port 9 of this side, greeted by process 1. */
function begun() {
  const { client, session } = dialled('a')
  Object.assign(client, {
    processID: 1,
    stream: Object.assign(client.stream, { localAddress: '127.0.0.1', localPort: 9 }),
  })
  return session
}

describe.each([
  ['a transaction of ours', witnessQuestion],
  ['a COMMIT of somebody else’s', commitQuestion],
])('what goes out with %s', (_what, question) => {
  it('asks the server what it is once, where nothing stands in between', () => {
    const session = begun()
    expect(question(session).text).toContain('pg_control_system')
    expect(question(session).columns).toEqual(Object.keys(told))
    readWitness(session, told)
    expect(session.server?.direct).toBe(true)
    expect(question(session).text).not.toContain('pg_control_system')
    expect(question(session).columns).toEqual(Object.keys(witness))
  })

  it('asks every time where a pooler may have lent it another server', () => {
    const session = begun()
    readWitness(session, { ...told, pid: '4711' })
    expect(session.server?.direct).toBe(false)
    expect(question(session).text).toContain('pg_control_system')
  })
})

describe('an answer', () => {
  it('is that of the server which this transaction ran on', () => {
    const session = begun()
    readWitness(session, { ...told, pid: '4711' })
    readWitness(session, { ...told, timeline: '2', started: 's2', pid: '4712' })
    expect(session.server?.incarnation).toMatchObject({ timeline: 2, postmasterStartTime: 's2' })
  })

  it('that tells of no server leaves what is known of it', () => {
    const session = begun()
    readWitness(session, told)
    expect(readWitness(session, { xid: '701', lsn: '0/110' })).toEqual({ xid: '701', lsn: 0x110n })
    expect(session.server?.incarnation.postmasterStartTime).toBe('s1')
  })

  it('of a transaction that has written nothing is no witness', () => {
    const session = begun()
    expect(readWitness(session, { ...told, xid: null, lsn: null })).toBeUndefined()
    expect(session.server).toBeUndefined()
  })
})
