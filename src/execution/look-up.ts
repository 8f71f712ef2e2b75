import type { Evidence } from '../core/outcome/evidence'
import type { Undecided, Verdict } from '../core/outcome/judge'
import { cutSocket } from '../pool/session'
import type { PoolClient, Session } from '../pool/session'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { after } from '../runtime/timer'
import { pause } from './pause'

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
  /**
   * A session of an older generation is one of another history than the one that is followed now: of what it did the leader
   * knows nothing.
   */
  readonly historySince: number
  /** For how long the leader is asked. */
  readonly lookUpMillis: number
}

/** What is known of a transaction whose COMMIT went unanswered, beside what its session knows. */
export interface Unanswered<Carried = object> {
  /** What it can be looked up by. */
  readonly carried: Carried | undefined
  readonly witnessedAt: number
  /** This process was not running for a while since its server last gave a sign of life. */
  readonly stalled: boolean
}

/** How the leader is asked about one transaction. */
export interface Inquiry {
  /** What it is asked for, for the log. */
  readonly about: string
  /** Undefined if who answered does not lead. */
  ask(): Promise<Verdict | Undecided | undefined>
  /** Ends our own session, which has not noticed that nobody is there any more. */
  endOwnSession(): Promise<void>
}

/** Asks the leader what became of a COMMIT until that is known, or not to be known. Never rejects. */
export async function inquire(port: LookUpPort, inquiry: Inquiry): Promise<Verdict> {
  const begun = now()
  for (let asked = 1; ; asked += 1) {
    let reason: string
    try {
      const verdict = await inquiry.ask()
      if (verdict !== undefined && verdict.outcome !== 'undecided') {
        log('%s looked up: %s, %s', inquiry.about, verdict.outcome, verdict.reason)
        return verdict
      }
      if (verdict?.own === true && now() - begun > ownSessionMillis) await inquiry.endOwnSession()
      reason = verdict?.reason ?? 'the host that answered does not lead'
    } catch (error) {
      reason = `the leader could not be asked: ${(error as Error).message}`
    }
    if (port.ending) return { outcome: 'unknown', reason: 'the pool was ended before it could be looked up' }
    if (now() - begun > port.lookUpMillis) return { outcome: 'unknown', reason }
    await pause(asked, betweenQuestions)
  }
}

/** It carried nothing that it could be looked up by. */
export const carriedNothing: Verdict = { outcome: 'unknown', reason: 'it carried no witness' }

/**
 * Whether the end of a session says that nothing came after what was read: the server itself closed the connection in good
 * order, or reset it on this very machine.
 */
export function isConclusive({ server, loss }: Session): boolean {
  return server?.direct === true && (loss?.how === 'end of file' || (loss?.how === 'reset' && server.local))
}

/** Does something with a client on the leader, for a limited time. */
export async function onLeader<T>(
  port: Pick<LookUpPort, 'leader'>,
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
