import { decideTransaction } from '../core/retry/decide-transaction'
import type { TransactionDecision, TransactionFailure } from '../core/retry/decide-transaction'
import { serverCode } from '../core/retry/sqlstate'
import type { Position } from '../core/selection/position'
import { OutcomeUnknownError, TransactionRolledBackError, TransactionStateError } from '../errors'
import { commitAndPosition, readPosition } from '../pool/host-positions'
import { cutSocket, keepTransactionStatus } from '../pool/session'
import type { PoolClient, Session } from '../pool/session'
import { beginCall, resume } from '../pool/ticket'
import type { Call } from '../pool/ticket'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'
import { watchForStalls } from '../runtime/heartbeat'
import type { Watch } from '../runtime/heartbeat'
import { createLog } from '../runtime/log'
import type { Scope } from '../runtime/scope'
import type { FailoverStory } from '../telemetry/failover-story'
import type { LookUpPort } from './look-up'
import { viewOfTransaction } from './transaction-client'
import { planTransaction } from './transaction-options'
import type { TransactionOptions, TransactionPlan } from './transaction-options'
import { pause } from './pause'
import type { Proof, Row } from './proof'
import { gatherFailure, isReadTimeout } from './verdict'

const log = createLog('execution')

/** A client of the pool, to be given back. */
export interface CheckedOut {
  readonly client: PoolClient
  readonly session: Session
  release(broken: boolean): void
}

/** What running a transaction needs of its pool. */
export interface TransactionPort extends LookUpPort {
  checkout(call: Call): Promise<CheckedOut>
  /** The same, of a host that is read from and has come so far; left out where there is no other. */
  checkoutReader?(call: Call, after: Position | undefined): Promise<CheckedOut>
  /** Asks the host of this session for its role again; resolves with whether it may still be used. */
  stillSuitable(session: Session): Promise<boolean>
  readonly scope: Scope
  readonly story: FailoverStory
  /** How its transactions are to be looked up. */
  readonly proof: Proof
}

/** What a transaction's function is given, and gives. */
export type TransactionFunction<T> = (client: PoolClient) => T | Promise<T>

/** Runs a function as one transaction, again where that is safe, until it is committed or is not to be. */
export async function runTransaction<T>(
  port: TransactionPort,
  work: TransactionFunction<T>,
  options: TransactionOptions | undefined,
): Promise<T> {
  const plan = planTransaction(options)
  if (typeof work !== 'function') {
    throw new TransactionStateError('pool.transaction needs a function: pool.transaction(async (client) => { … })')
  }
  if (port.scope.inside) {
    throw new TransactionStateError(
      'pool.transaction inside pool.transaction: should the outer one be run again, the inner one would be committed twice. ' +
        'Give the client on to whoever needs it, and take a savepoint for a part that may fail',
    )
  }
  const call = beginCall(now(), plan.signal)
  for (let attempt = 1; ; attempt += 1) {
    const ended = await new Attempt(port, plan, work, call).run()
    if ('value' in ended) return ended.value
    const { error, backOff, reason } = ended.again
    if (attempt >= plan.maxAttempts || port.ending) {
      if (serverCode(error) !== undefined && !(error instanceof TransactionRolledBackError) && backOff) throw error
      throw rolledBack(error, `${reason}; it was tried ${attempt} times`)
    }
    port.story.replayed()
    log('transaction again, attempt %d: %s', attempt + 1, reason)
    if (backOff) await pause(attempt)
    resume(call, now())
  }
}

/** The function's value; or what is to be done again, and for what reason. */
type Ended<T> =
  | { readonly value: T }
  | { readonly again: { readonly error: unknown; readonly backOff: boolean; readonly reason: string } }

/** What is known of a transaction before it is committed. */
interface Known {
  /** What it can be looked up by. */
  readonly carried: object | undefined
  readonly witnessedAt: number
  readonly watch: Watch
}

/** One time through BEGIN, the function and COMMIT. */
class Attempt<T> {
  readonly #port: TransactionPort
  readonly #plan: TransactionPlan
  readonly #work: TransactionFunction<T>
  readonly #call: Call

  constructor(port: TransactionPort, plan: TransactionPlan, work: TransactionFunction<T>, call: Call) {
    this.#port = port
    this.#plan = plan
    this.#work = work
    this.#call = call
  }

  async run(): Promise<Ended<T>> {
    const { onStandby, after } = this.#plan
    const [port, call] = [this.#port, this.#call]
    const out = await (onStandby && port.checkoutReader ? port.checkoutReader(call, after) : port.checkout(call))
    // From before BEGIN is sent: the last moment of which it is certain that the server was alive after it.
    const watch = watchForStalls()
    out.session.ownTransaction = true
    keepTransactionStatus(out.session)
    try {
      return await this.#runOn(out, watch)
    } finally {
      watch.end()
    }
  }

  async #runOn(out: CheckedOut, watch: Watch): Promise<Ended<T>> {
    out.session.lastError = undefined
    let carried: object | undefined
    try {
      carried = await this.#begin(out)
    } catch (error) {
      return this.#failed(out, 'begin', error)
    }
    const known = { carried, witnessedAt: now(), watch }
    const view = viewOfTransaction(out.client)
    let value: T
    try {
      value = await this.#port.scope.run(() => this.#work(view.client))
    } catch (error) {
      return await this.#failed(out, 'body', error)
    } finally {
      view.close()
    }
    const { signal } = this.#plan
    if (signal?.aborted === true) return this.#failed(out, 'body', signal.reason)
    const { session } = out
    if (session.broken || session.announced) {
      return this.#failed(out, 'body', new Error('Connection terminated unexpectedly'))
    }
    // Something that the function sent has ended the transaction, in one text with something else.
    if (session.transactionStatus === 'I') return this.#failed(out, 'body', handsOff())

    return this.#commit(out, value, known)
  }

  async #commit(out: CheckedOut, value: T, known: Known): Promise<Ended<T>> {
    const { session } = out
    let command: string
    try {
      command = await commit(out)
    } catch (error) {
      const stalled = known.watch.stalled()
      const decision = await this.#decide(session, 'commit', error)
      if (decision.action !== 'look-up') return this.#conclude(out, 'commit', error, decision)
      this.#release(out, true)
      const found = await this.#port.proof.lookUp(this.#port, session, { ...known, stalled })
      if (found.outcome === 'committed') {
        this.#port.proof.acknowledged.add(session, known.carried, this.#plan.tag)
        return { value }
      }
      if (found.outcome === 'aborted') return { again: { error, backOff: false, reason: found.reason } }
      this.#port.story.unknown()
      throw unknownOutcome(error, session, `${decision.reason}, and ${found.reason}`)
    }
    if (command === 'COMMIT') {
      this.#port.proof.acknowledged.add(session, known.carried, this.#plan.tag)
      this.#release(out, false)
      return { value }
    }
    // A statement had failed, and the function went on as if nothing had happened.
    const error = session.lastError ?? new Error('COMMIT was answered with ROLLBACK')
    return this.#failed(out, 'commit', error, true)
  }

  #release({ session, release }: CheckedOut, broken: boolean): void {
    session.ownTransaction = false
    release(broken)
  }

  async #begin({ client, session }: CheckedOut): Promise<object | undefined> {
    const { begin, readOnly } = this.#plan
    const { proof } = this.#port
    const question = readOnly ? undefined : proof.ask(session)
    if (question === undefined) {
      await client.query(begin)
      return undefined
    }
    try {
      const text = [begin, ...question.texts].join('; ')
      const results = (await client.query({ text, types: asText })) as unknown as readonly { readonly rows: Row[] }[]
      return question.read(results.at(-1)?.rows[0] ?? {})
    } catch (error) {
      const refused = proof.refused(session, error)
      if (refused !== undefined) throw refused
      await client.query('rollback')
      session.lastError = undefined
      await client.query(begin)
      return undefined
    }
  }

  /** What follows from a failure in this phase. `rolledBack`: the server has done so, and said so. */
  async #failed(
    out: CheckedOut,
    phase: TransactionFailure['phase'],
    error: unknown,
    isRolledBack = false,
  ): Promise<Ended<T>> {
    const decision = await this.#decide(out.session, phase, error)
    return this.#conclude(out, phase, error, decision, isRolledBack)
  }

  async #decide(session: Session, phase: TransactionFailure['phase'], error: unknown): Promise<TransactionDecision> {
    const failure = await gatherFailure(whatFailed(error, session), session, this.#port)
    return decideTransaction({ ...failure, phase, readOnly: this.#plan.readOnly })
  }

  async #conclude(
    out: CheckedOut,
    phase: TransactionFailure['phase'],
    error: unknown,
    decision: TransactionDecision,
    isRolledBack = false,
  ): Promise<Ended<T>> {
    if (isReadTimeout(error)) cutSocket(out.client)
    this.#release(out, out.session.broken || out.session.announced || !(await rollBack(out, phase)))
    const { signal } = this.#plan
    if (decision.action === 'replay' && !(signal?.aborted === true)) {
      return { again: { error, backOff: decision.backOff, reason: decision.reason } }
    }
    if (signal?.aborted === true && phase !== 'commit') throw signal.reason
    if (isRolledBack) throw rolledBack(error, 'a statement of it had failed, and COMMIT rolled it back')
    throw error
  }
}

/** Sends COMMIT, and where that is wanted asks for the position behind it in the same message. */
async function commit({ client, session }: CheckedOut): Promise<string> {
  if (session.commit === undefined) return (await client.query('commit')).command
  const results = (await client.query({ text: commitAndPosition, types: asText })) as unknown as readonly {
    readonly command: string
    readonly rows: readonly Readonly<Record<string, string | null>>[]
  }[]
  session.commit.at = readPosition(results[1]?.rows[0])
  return results[0]?.command ?? ''
}

/** Ends what has been begun; false if that failed, and the client is of no use any more. */
async function rollBack({ client, session }: CheckedOut, phase: TransactionFailure['phase']): Promise<boolean> {
  // After a COMMIT there is nothing left to end.
  if (phase === 'commit' || session.broken) return true
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

/**
 * What the transaction failed with: what was thrown may be wrapped (query builders do that), or be the function's own words
 * for a statement that failed.
 */
function whatFailed(error: unknown, session: Session): unknown {
  let found = error
  for (let depth = 0; depth < 5 && typeof found === 'object' && found !== null; depth += 1) {
    if (serverCode(found) !== undefined || isReadTimeout(found)) return found
    found = (found as { cause?: unknown }).cause
  }
  const isTold = session.announced || session.transactionStatus === 'E'
  return (isTold ? session.lastError : undefined) ?? error
}

function handsOff(): TransactionStateError {
  return new TransactionStateError(
    'the function of pool.transaction has ended its transaction itself: what it sent may be committed in part. ' +
      'Send neither COMMIT nor ROLLBACK there; throw to roll back',
  )
}

function rolledBack(cause: unknown, reason: string): TransactionRolledBackError {
  return new TransactionRolledBackError(`The transaction was rolled back: ${reason}. Nothing of it is left`, { cause })
}

function unknownOutcome(cause: unknown, { host }: Session, reason: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `COMMIT was sent to ${host} and ${reason}: the transaction was committed or rolled back, and it was not run again. ` +
      'Look for its effect before doing it once more',
    { cause },
  )
}
