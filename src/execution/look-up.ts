import { processIdOf } from '../client/pg-internals'
import type { Evidence } from '../core/outcome/evidence'
import type { Doubt, LookUp, Witness } from '../core/outcome/incarnation'
import { judge } from '../core/outcome/judge'
import type { Verdict } from '../core/outcome/judge'
import { serverCode } from '../core/retry/sqlstate'
import { cutSocket } from '../pool/session'
import type { PoolClient, Session } from '../pool/session'
import { now } from '../runtime/clock'
import { asText } from '../runtime/as-text'
import { createLog } from '../runtime/log'
import { after } from '../runtime/timer'
import { pause } from './pause'
import { incarnationQuestion, readIncarnation } from './witness'

const log = createLog('execution')

/** How long a session of ours may go on with a COMMIT that nobody waits for before it is ended. */
const ownSessionMillis = 1000

/** Between two questions about one COMMIT, in milliseconds. */
const betweenQuestions = { base: 5, cap: 250 }

/** A question to the leader takes this long at the most; its connection is given up then. */
const questionMillis = 5000

/** What a look-up needs of its pool. */
export interface LookUpPort {
  /** A client on the leader, whoever that is. */
  leader(): Promise<{ readonly client: PoolClient; readonly host: string; release(broken: boolean): void }>
  readonly evidence: Evidence
  /** The highest timeline that is known of: by way of a pooler a server that history has left may answer still. */
  readonly timeline: number | undefined
  readonly ending: boolean
  /** For how long the leader is asked. */
  readonly lookUpMillis: number
}

/** Asks the leader what became of a COMMIT until that is known, or not to be known. Never rejects. */
async function lookUp(port: LookUpPort, doubt: Doubt, pid: number): Promise<Verdict> {
  const begun = now()
  for (let asked = 1; ; asked += 1) {
    let reason: string
    try {
      const answer = await ask(port, doubt)
      const isLeft = (answer?.incarnation.timeline ?? Infinity) < (port.timeline ?? -Infinity)
      const verdict = answer === undefined || isLeft ? undefined : judge(doubt, answer, port.evidence)
      if (verdict !== undefined && verdict.outcome !== 'undecided') {
        log('%s looked up on %s: %s, %s', doubt.witness.xid, answer?.host, verdict.outcome, verdict.reason)
        return verdict
      }
      if (verdict?.own === true && now() - begun > ownSessionMillis) await endOwnSession(port, doubt, pid)
      reason = verdict?.reason ?? 'the host that answered does not lead'
    } catch (error) {
      reason = `the leader could not be asked: ${(error as Error).message}`
    }
    if (port.ending) return { outcome: 'unknown', reason: 'the pool was ended before it could be looked up' }
    if (now() - begun > port.lookUpMillis) return { outcome: 'unknown', reason }
    await pause(asked, betweenQuestions)
  }
}

/** What is known of a transaction whose COMMIT went unanswered, beside what its session knows. */
export interface Unanswered {
  readonly witness: Witness | undefined
  readonly witnessedAt: number
  /** This process was not running for a while since its server last gave a sign of life. */
  readonly stalled: boolean
}

/** Looks up what became of the transaction that a session was lost with. */
export function lookUpSession(port: LookUpPort, session: Session, unanswered: Unanswered): Promise<Verdict> {
  const { server, host, loss } = session
  const { witness, witnessedAt, stalled } = unanswered
  if (witness === undefined || server === undefined) {
    return Promise.resolve({ outcome: 'unknown', reason: 'it carried no witness' })
  }
  const { incarnation, direct } = server
  const lostAt = loss?.at ?? now()
  const closedByPeer = loss !== undefined && loss.how !== 'cut'
  const doubt = { host, witness, incarnation, direct, witnessedAt, lostAt, closedByPeer, stalled }
  return lookUp(port, doubt, processIdOf(session.client) ?? 0)
}

/**
 * Whether the end of a session says that nothing came after what was read: the server itself closed the connection in good
 * order, or reset it on this very machine.
 */
export function isConclusive({ server, loss }: Session): boolean {
  return server?.direct === true && (loss?.how === 'end of file' || (loss?.how === 'reset' && server.local))
}

type Row = Readonly<Record<string, string | null>>

/** One question to the leader; undefined if who answered is none. */
function ask(port: LookUpPort, { witness }: Doubt): Promise<LookUp | undefined> {
  return onLeader(port, (client, host) =>
    ofOneServer(client, async () => {
      const incarnation = await askIncarnation(client)
      return incarnation && { host, incarnation, status: await statusOf(client, witness.xid) }
    }),
  )
}

/** Several questions to one and the same server: what stands in between may lend each transaction another one. */
export async function ofOneServer<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await query(client, 'begin', [])
  const answer = await work()
  await query(client, 'rollback', [])
  return answer
}

/** What the server at the other end is; undefined for a standby. */
export async function askIncarnation(client: PoolClient): Promise<LookUp['incarnation'] | undefined> {
  const told = await query(client, incarnationQuestion, [])
  if (told['in_recovery'] === 'true' || told['incarnation'] == null) return undefined
  return readIncarnation(JSON.parse(told['incarnation']) as Row)
}

async function statusOf(client: PoolClient, xid: string): Promise<LookUp['status']> {
  try {
    const { status } = await query(client, 'select pg_xact_status($1::xid8) as status', [xid])
    return (status ?? undefined) as LookUp['status']
  } catch (error) {
    if (serverCode(error) === '22023') return 'in the future'
    throw error
  }
}

/**
 * Our own backend, which has not noticed that nobody is there any more: the same pid may be somebody else's by now, but not
 * with the same transaction. What waits for a synchronous standby has committed already and is left alone.
 */
async function endOwnSession(port: LookUpPort, { witness }: Doubt, pid: number): Promise<void> {
  const text = `select pg_terminate_backend(pid)::text as ended from pg_stat_activity
    where pid = $1::int and backend_xid::text = $2 and wait_event is distinct from 'SyncRep'`
  const backendXid = String(BigInt(witness.xid) & 0xffffffffn)
  const ended = await onLeader(port, (client) => query(client, text, [pid, backendXid]))
  if (ended['ended'] === 'true') log('%s: its session went on without us and was ended', witness.xid)
}

/** Does something with a client on the leader, for a limited time. */
export async function onLeader<T>(
  port: LookUpPort,
  work: (client: PoolClient, host: string) => Promise<T>,
): Promise<T> {
  const { client, host, release } = await port.leader()
  const limit = after(questionMillis, () => cutSocket(client), { ref: true })
  try {
    const result = await work(client, host)
    release(false)
    return result
  } catch (error) {
    release(true)
    throw error
  } finally {
    limit.cancel()
  }
}

async function query(client: PoolClient, text: string, values: readonly unknown[]): Promise<Row> {
  const { rows } = await client.query<Row>({ text, values: [...values], types: asText })
  return rows[0] ?? {}
}
