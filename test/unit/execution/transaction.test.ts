import { beforeEach, describe, expect, it, vi } from 'vitest'
import { OutcomeUnknownError, TransactionRolledBackError, TransactionStateError } from '../../../src/errors'
import { addReport, noEvidence } from '../../../src/core/outcome/evidence'
import { runTransaction } from '../../../src/execution/transaction'
import type { TransactionPort } from '../../../src/execution/transaction'
import { WitnessProof } from '../../../src/execution/witness-proof'
import type { PoolClient, Session } from '../../../src/pool/session'
import { Scope } from '../../../src/runtime/scope'
import { FailoverStory } from '../../../src/telemetry/failover-story'
import { dialled } from '../pool/support/fake-client'

/** What one server answers, by the beginning of what it is sent; undefined: as usual. A thrown error is its refusal. */
type Answers = (text: string, session: Session) => unknown

const server = { system_identifier: 'X', timeline: '1', started: 's1', replay_lsn: null, stats_reset: 'z1' }
const witness = { xid: '700', lsn: '0/100', ...server, pid: '1', client_address: '127.0.0.1', client_port: '9' }

const refusal = (code: string): Error => Object.assign(new Error(code), { code, severity: 'ERROR', routine: 'x' })

/** A pool whose clients answer so; each checkout is another session. */
function poolOf(answers: Answers, leader: { readonly status: string | null; readonly [column: string]: unknown }) {
  const sent: string[] = []
  const released: boolean[] = []
  const sessions: Session[] = []
  const lookedUp: string[] = []
  const story = new FailoverStory(() => undefined)
  const unknown = vi.spyOn(story, 'unknown')
  const proof = new WitnessProof()
  const remembered = vi.spyOn(proof.acknowledged, 'add')
  const checkout = async () => {
    const { client, session } = dialled('a')
    sessions.push(session)
    const query = async (given: string | { readonly text: string }): Promise<unknown> => {
      const text = typeof given === 'string' ? given : given.text
      sent.push(text.split(';')[0] ?? '')
      const answer = answers(text, session)
      if (answer !== undefined) return answer
      return text.includes(';') ? [{}, { rows: [witness] }] : { command: text.toUpperCase(), rows: [] }
    }
    const release = (broken: boolean): void => void released.push(broken)
    const stream = Object.assign(client.stream, { localAddress: '127.0.0.1', localPort: 9 })
    Object.assign(client, { query, processID: 1, stream })
    return { client: client as unknown as PoolClient, session, release }
  }
  const { status, ...incarnation } = leader
  const port: TransactionPort = {
    checkout,
    stillSuitable: async () => true,
    scope: new Scope(),
    story,
    proof,
    leader: async () => {
      const query = async ({ text }: { readonly text: string }): Promise<unknown> => {
        const isStatus = text.includes('pg_xact_status')
        lookedUp.push(isStatus ? 'status' : text.startsWith('select') ? 'incarnation' : text)
        if (isStatus) return { rows: [{ status }] }
        return { rows: [{ in_recovery: 'false', incarnation: JSON.stringify({ ...server, ...incarnation }) }] }
      }
      return { client: { query } as unknown as PoolClient, host: 'a', release: () => undefined }
    },
    evidence: noEvidence,
    historySince: 0,
    timeline: undefined,
    ending: false,
    lookUpMillis: 0,
  }
  return { port, proof, sent, released, sessions, lookedUp, unknown, remembered }
}

const sameServer = { status: 'committed' }

/** The connection ends when this is sent, once. */
function lostAt(what: string): Answers {
  let lost = false
  return (text, session) => {
    if (lost || !text.startsWith(what)) return undefined
    lost = true
    session.broken = true
    session.loss = { at: performance.now(), how: 'end of file' }
    throw new Error('Connection terminated unexpectedly')
  }
}

beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0))

describe('runTransaction', () => {
  it('gives back what its function gives, after COMMIT', async () => {
    const { port, sent, released, sessions, remembered } = poolOf(() => undefined, sameServer)
    const value = await runTransaction(port, async (client) => (await client.query('insert')) && 7, { tag: 'one' })
    expect(value).toBe(7)
    expect(remembered).toHaveBeenCalledExactlyOnceWith(sessions[0], { xid: '700', lsn: 0x100n }, 'one')
    expect(sent).toEqual(['begin', 'insert', 'commit'])
    expect(released).toEqual([false])
  })

  it('its client is of no use when the function is over', async () => {
    const { port } = poolOf(() => undefined, sameServer)
    const client = await runTransaction(port, (each) => each, undefined)
    await expect(client.query('insert')).rejects.toThrow(TransactionStateError)
  })

  it('runs again what was lost before COMMIT was sent, and looks nothing up', async () => {
    const { port, sent, released, lookedUp } = poolOf(lostAt('insert'), sameServer)
    expect(await runTransaction(port, (client) => client.query('insert').then(() => 7), undefined)).toBe(7)
    expect(sent).toEqual(['begin', 'insert', 'begin', 'insert', 'commit'])
    expect(released).toEqual([true, false])
    expect(lookedUp).toEqual([])
  })

  it('does not send COMMIT over a connection that was lost while its function did something else', async () => {
    const { port, sent, sessions } = poolOf(() => undefined, sameServer)
    const work = (): void => {
      if (sessions.length === 1) sessions[0]!.broken = true
    }
    await runTransaction(port, work, undefined)
    expect(sent).toEqual(['begin', 'begin', 'commit'])
  })

  it('a COMMIT that went unanswered is looked up: committed', async () => {
    const { port, sent, lookedUp, released, remembered } = poolOf(lostAt('commit'), sameServer)
    expect(await runTransaction(port, () => 7, undefined)).toBe(7)
    expect(remembered).toHaveBeenCalledTimes(1)
    expect(sent).toEqual(['begin', 'commit'])
    // What stands in between may lend each transaction another server.
    expect(lookedUp).toEqual(['begin', 'incarnation', 'status', 'rollback'])
    expect(released).toEqual([true])
  })

  it('a COMMIT that went unanswered is looked up: rolled back, and run again', async () => {
    const { port, sent } = poolOf(lostAt('commit'), { status: 'aborted' })
    expect(await runTransaction(port, () => 7, undefined)).toBe(7)
    expect(sent).toEqual(['begin', 'commit', 'begin', 'commit'])
  })

  it('a server that history has left is not asked what became of a COMMIT', async () => {
    const { port, sent, unknown } = poolOf(lostAt('commit'), sameServer)
    await expect(runTransaction({ ...port, timeline: 2 }, () => 7, undefined)).rejects.toThrow(
      'the host that answered does not lead',
    )
    expect(sent).toEqual(['begin', 'commit'])
    expect(unknown).toHaveBeenCalledTimes(1)
  })

  it('a COMMIT of which nobody knows is not run again', async () => {
    const { port, sent, unknown } = poolOf(lostAt('commit'), { status: null })
    await expect(runTransaction(port, () => 7, undefined)).rejects.toThrow(OutcomeUnknownError)
    expect(sent).toEqual(['begin', 'commit'])
    expect(unknown).toHaveBeenCalledTimes(1)
  })

  it('nor one that carried no witness', async () => {
    const { port, proof, sent } = poolOf(lostAt('commit'), sameServer)
    proof.witnessless = true
    await expect(runTransaction(port, () => 7, undefined)).rejects.toThrow('it carried no witness')
    expect(sent).toEqual(['begin', 'commit'])
  })

  it('a process that was blocked between witness and loss proves nothing by the recovery that followed', async () => {
    const restarted = { status: 'committed', started: 's2', replay_lsn: '0/200', stats_reset: 'z2' }
    const { port } = poolOf(lostAt('commit'), restarted)
    const at = (): number => performance.now()
    const evidence = () => {
      const answer = { inRecovery: false, defaultTransactionReadOnly: false, systemIdentifier: 'X', timeline: 1 }
      const rest = { postmasterStartTime: 's2', lsn: undefined, roundTripMillis: 1 }
      const recovery = { replayLsn: 0x200n, timeline: undefined, session: 2 }
      const report = {
        type: 'answer',
        sentAt: at(),
        receivedAt: at(),
        answer: { ...answer, ...rest },
        recovery,
      } as const
      return addReport(noEvidence, 'a', report)
    }
    Object.defineProperty(port, 'evidence', { get: evidence })
    expect(await runTransaction(port, () => 7, undefined)).toBe(7)
    const blocked = poolOf(lostAt('commit'), restarted)
    Object.defineProperty(blocked.port, 'evidence', { get: evidence })
    const block = (): void => {
      for (const end = at() + 150; at() < end;);
    }
    await expect(runTransaction(blocked.port, block, undefined)).rejects.toThrow('this process was not looking')
  })

  it('what its function throws is the answer, and the transaction is rolled back', async () => {
    const { port, sent, released } = poolOf(() => undefined, sameServer)
    const error = new Error('no')
    await expect(runTransaction(port, () => Promise.reject(error), undefined)).rejects.toBe(error)
    expect(sent).toEqual(['begin', 'rollback'])
    expect(released).toEqual([false])
  })

  it('a COMMIT that was answered with ROLLBACK is no success', async () => {
    const { port } = poolOf((text) => (text === 'commit' ? { command: 'ROLLBACK' } : undefined), sameServer)
    await expect(runTransaction(port, () => 7, undefined)).rejects.toThrow(TransactionRolledBackError)
  })

  it('is run as often as maxAttempts says, and no more', async () => {
    const conflict = refusal('40001')
    const { port, sent } = poolOf((text) => {
      if (text === 'insert') throw conflict
    }, sameServer)
    const run = runTransaction(port, (client) => client.query('insert'), { maxAttempts: 3 })
    await expect(run).rejects.toBe(conflict)
    expect(sent.filter((text) => text === 'insert')).toHaveLength(3)
  })

  it('one inside another is refused', async () => {
    const { port } = poolOf(() => undefined, sameServer)
    const run = runTransaction(port, () => runTransaction(port, () => 7, undefined), undefined)
    await expect(run).rejects.toThrow(TransactionStateError)
  })

  it('goes without a witness where a server does not let one be written', async () => {
    const { port, proof, sent } = poolOf((text) => {
      if (text.includes(';')) throw refusal('42501')
    }, sameServer)
    expect(await runTransaction(port, () => 7, undefined)).toBe(7)
    expect(sent).toEqual(['begin', 'rollback', 'begin', 'commit'])
    expect(proof.witnessless).toBe(true)
  })

  it('sends no COMMIT once its signal is aborted', async () => {
    const { port, sent } = poolOf(() => undefined, sameServer)
    const abort = new AbortController()
    const run = runTransaction(port, () => abort.abort(new Error('enough')), { signal: abort.signal })
    await expect(run).rejects.toThrow('enough')
    expect(sent).toEqual(['begin', 'rollback'])
  })
})
