import type { Verdict } from '../core/outcome/judge'
import type { Session } from '../pool/session'
import type { LookUpPort, Unanswered } from './look-up'

/** The row of an answer, by its columns. */
export type Row = Readonly<Record<string, string | null | undefined>>

/** What a transaction has sent first, in the same message as what it is to prove. */
export interface Question<Carried = object> {
  /** Sent in this order; the last one's answer counts. */
  readonly texts: readonly string[]
  /** The columns of that answer, in their order. */
  readonly columns: readonly string[]
  /** What the transaction can be looked up by, once this is answered, or has been sent; undefined: by nothing. */
  read(row: Row | undefined): Carried | undefined
  /** Whether the transaction had written anything, by this answer to the end. */
  wrote(row: Row | undefined): boolean
  /** The server refused it, with this SQLSTATE: what to ask in its place, so that the COMMIT behind it is looked at. */
  retreat(code: string | undefined): Question<Carried> | undefined
}

/** Acknowledged transactions that the present leader's history does not have. */
export interface Lost {
  readonly count: number
  /** Those of them that had a `tag`. */
  readonly tags: readonly string[]
}

/** The last transactions that can be asked for and whose COMMIT was answered. */
export interface AcknowledgedBook<Carried = object> {
  /** One more has been acknowledged. */
  add(session: Session, carried: Carried | undefined, tag: string | undefined): void
  /** Asks the leader which of them it does not have. What is found is kept until it was told. Rejects if it cannot be asked. */
  findLost(port: LookUpPort): Promise<Lost>
  told(): void
}

/** The way in which a pool's transactions carry something by which they can be looked up. */
export interface Proof<Carried = object> {
  /** For a transaction that begins, or a statement of its own; undefined: there is nothing to carry here. */
  ask(session: Session): Question<Carried> | undefined
  /** The same for somebody's COMMIT. */
  askAtCommit(session: Session): Question<Carried> | undefined
  /** Before anybody is given a new session, whose COMMITs are to be proved. Rejects if it is of no use. */
  greet(session: Session): Promise<void>
  /** A question was refused: what its caller is told; undefined: it goes without from now on. */
  refused(session: Session, error: unknown): Error | undefined
  /** Asks the leader what became of a COMMIT until that is known, or not to be known. Never rejects. */
  lookUp(port: LookUpPort, session: Session, unanswered: Unanswered<Carried>): Promise<Verdict>
  readonly acknowledged: AcknowledgedBook<Carried>
}

/** What is known of a question that was sent before a statement. */
interface Sent {
  readonly submitted: boolean
  readonly witness: readonly (string | null)[] | undefined
}

/** The answer as it came over the wire; undefined if none has come. */
export function answerTo(question: Question, { witness }: Sent): Row | undefined {
  return witness && Object.fromEntries(question.columns.map((name, place) => [name, witness[place]]))
}

/** What a statement carried; what somebody in between has made something else of carried nothing. */
export function carriedBy(question: Question | undefined, sent: Sent): object | undefined {
  return sent.submitted && question !== undefined ? question.read(answerTo(question, sent)) : undefined
}
