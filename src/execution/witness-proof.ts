import { processIdOf } from '../client/pg-internals'
import type { Witness } from '../core/outcome/incarnation'
import { judge } from '../core/outcome/judge'
import type { Verdict } from '../core/outcome/judge'
import { serverCode } from '../core/retry/sqlstate'
import type { Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { Acknowledged } from './acknowledged'
import { carriedNothing, inquire } from './look-up'
import type { LookUpPort, Unanswered } from './look-up'
import type { Proof, Question } from './proof'
import { commitQuestion, readServerAnswer, readWitness, serverQuestion, witnessQuestion } from './witness'
import type { WitnessQuestion } from './witness'
import { askOf, endOwnSession } from './witness-look-up'

const log = createLog('execution')

/** By the transaction's id and a WAL position: nothing has to be prepared, and any role may do it. */
export class WitnessProof implements Proof<Witness> {
  readonly acknowledged = new Acknowledged()
  /** Its servers do not let a witness be written: set once that was found out. */
  witnessless = false

  ask(session: Session): Question<Witness> | undefined {
    return this.witnessless ? undefined : questionOf(session, witnessQuestion(session))
  }

  /** Only where it is known what the server is: a COMMIT must not fail for asking that. */
  askAtCommit(session: Session): Question<Witness> | undefined {
    return this.witnessless || session.server === undefined ? undefined : questionOf(session, commitQuestion(session))
  }

  async greet(session: Session): Promise<void> {
    try {
      const text = serverQuestion
      const { rows } = await session.client.query<{ server: string | null }>({ text, types: asText })
      readServerAnswer(session, rows[0]?.server)
    } catch (error) {
      const refused = this.refused(session, error)
      if (refused !== undefined) throw refused
    }
  }

  /**
   * Undefined function or column, missing right: this server does not let a witness be written, or its identity be read. Nothing
   * of this pool carries one from then on.
   */
  refused({ host }: Session, error: unknown): Error | undefined {
    if (serverCode(error)?.startsWith('42') !== true) return error as Error
    if (!this.witnessless) log('%s: %s; writes go without a witness', host, (error as Error).message)
    this.witnessless = true
    return undefined
  }

  lookUp(port: LookUpPort, session: Session, unanswered: Unanswered<Witness>): Promise<Verdict> {
    const { server, host, loss } = session
    const { carried: witness, witnessedAt, stalled } = unanswered
    if (witness === undefined || server === undefined) return Promise.resolve(carriedNothing)
    const { incarnation, direct } = server
    const lostAt = loss?.at ?? now()
    const closedByPeer = loss !== undefined && loss.how !== 'cut'
    const doubt = { host, witness, incarnation, direct, witnessedAt, lostAt, closedByPeer, stalled }
    return inquire(port, {
      about: witness.xid,
      async ask() {
        const answer = await askOf(port, doubt)
        const isLeft = (answer?.incarnation.timeline ?? Infinity) < (port.timeline ?? -Infinity)
        return answer && !isLeft ? judge(doubt, answer, port.evidence) : undefined
      },
      endOwnSession: () => endOwnSession(port, doubt, processIdOf(session.client) ?? 0),
    })
  }
}

function questionOf(session: Session, { columns, text }: WitnessQuestion): Question<Witness> {
  return {
    texts: [text],
    columns,
    read: (row) => row && readWitness(session, row),
    wrote: (row) => row?.['xid'] != null,
    retreat: () => undefined,
  }
}
