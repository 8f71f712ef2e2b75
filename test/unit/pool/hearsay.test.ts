import { describe, expect, it, vi } from 'vitest'
import type { SessionNews } from '../../../src/client/session-news'
import { Blame } from '../../../src/pool/blame'
import { Hearsay } from '../../../src/pool/hearsay'
import type { LivingTopology } from '../../../src/topology/living-topology'
import { dialled } from './support/fake-client'

function listen() {
  const topology = { suspect: vi.fn(), ask: vi.fn(async () => undefined) }
  const suspected = vi.fn()
  const blame = new Blame()
  const hearsay = new Hearsay(topology as unknown as LivingTopology, blame, suspected)
  return { hearsay, blame, topology, suspected, ...dialled('a:1') }
}

const fromServer = (code: string): SessionNews => ({
  type: 'error',
  error: Object.assign(new Error(code), { code, severity: 'FATAL' }),
})

describe('what a session tells', () => {
  it.each(['57P01', '57P02', '57P03'])('%s puts its host in doubt, and the session is not used again', (code) => {
    const { hearsay, topology, suspected, session } = listen()
    hearsay.news(session, fromServer(code))
    expect(topology.suspect).toHaveBeenCalledExactlyOnceWith('a:1', expect.stringContaining(code))
    expect(suspected).toHaveBeenCalledTimes(1)
    expect(session.announced).toBe(true)
    expect(hearsay.doubts(session)).toBe(true)
  })

  it.each(['57P05', '25P03', '25P04'])('%s is about the session alone, which is not used again', (code) => {
    const { hearsay, topology, session } = listen()
    hearsay.news(session, fromServer(code))
    expect(session.announced).toBe(true)
    expect(topology.suspect).not.toHaveBeenCalled()
  })

  it('a refusal as standbys give it has the host asked again', () => {
    const { hearsay, topology, session } = listen()
    hearsay.news(session, fromServer('25006'))
    expect(topology.ask).toHaveBeenCalledExactlyOnceWith('a:1')
    expect(session.announced).toBe(false)
  })

  it('an everyday error says nothing', () => {
    const { hearsay, topology, session } = listen()
    hearsay.news(session, fromServer('23505'))
    expect(session.announced).toBe(false)
    expect(topology.suspect).not.toHaveBeenCalled()
    expect(topology.ask).not.toHaveBeenCalled()
  })

  it('a notice of a shutdown is remembered: what follows it proves nothing', () => {
    const { hearsay, topology, session } = listen()
    hearsay.news(session, { type: 'notice', sqlstate: '57P01' })
    expect(session).toMatchObject({ warned: true, announced: true })
    expect(topology.suspect).toHaveBeenCalledTimes(1)
    hearsay.news(session, { type: 'end' })
    expect(session.broken).toBe(true)
    expect(topology.suspect).toHaveBeenCalledTimes(1)
  })

  it('any other notice is none of our business', () => {
    const { hearsay, topology, session } = listen()
    hearsay.news(session, { type: 'notice', sqlstate: '00000' })
    expect(session).toMatchObject({ warned: false, announced: false })
    expect(topology.suspect).not.toHaveBeenCalled()
  })

  it.each<SessionNews>([{ type: 'end' }, { type: 'error', error: new Error('read ECONNRESET') }])(
    'a connection that is lost ($type) puts its host in doubt, unless we ended it',
    (news) => {
      const { hearsay, topology, session, client } = listen()
      client._ending = true
      hearsay.news(session, news)
      expect(topology.suspect).not.toHaveBeenCalled()
      client._ending = false
      hearsay.news(session, news)
      expect(topology.suspect).toHaveBeenCalledTimes(1)
      expect(session.broken).toBe(true)
    },
  )
})

describe('what a failed dial tells', () => {
  it('blames the host, and puts it in doubt', () => {
    const { hearsay, topology, blame } = listen()
    const error = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    hearsay.dialFailed('a:1', error, true)
    expect(blame.of(error)).toBe('host')
    expect(topology.suspect).toHaveBeenCalledTimes(1)
  })

  it('a full server would not have us, and is well', () => {
    const { hearsay, topology, blame } = listen()
    const error = Object.assign(new Error('too many clients'), { code: '53300', severity: 'FATAL' })
    hearsay.dialFailed('a:1', error, true)
    expect(blame.of(error)).toBe('host')
    expect(topology.suspect).not.toHaveBeenCalled()
  })

  it('a wrong password is the caller’s', () => {
    const { hearsay, topology, blame } = listen()
    const error = Object.assign(new Error('wrong password'), { code: '28P01', severity: 'FATAL' })
    hearsay.dialFailed('a:1', error, true)
    expect(blame.of(error)).toBe('caller')
    expect(topology.suspect).not.toHaveBeenCalled()
  })
})
