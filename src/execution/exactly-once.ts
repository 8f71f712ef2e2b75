import type { Verdict } from '../core/outcome/judge'
import { decideOnce } from '../core/retry/decide-once'
import type { OnceDecision } from '../core/retry/decide-once'
import { commandOf } from '../core/retry/statement'
import { OutcomeUnknownError, ResultLostError, UnsupportedStatementError } from '../errors'
import { cutSocket } from '../pool/session'
import type { Session } from '../pool/session'
import { beginCall, resume } from '../pool/ticket'
import { now } from '../runtime/clock'
import { watchForStalls } from '../runtime/heartbeat'
import type { Watch } from '../runtime/heartbeat'
import { createLog } from '../runtime/log'
import type { StatementMarks } from './run-query'
import type { CheckedOut, TransactionPort } from './transaction'
import { carriedNothing, isConclusive } from './look-up'
import { pause } from './pause'
import { carriedBy } from './proof'
import type { Question } from './proof'
import { gatherFailure, isReadTimeout } from './verdict'
import { createWitnessedQuery } from './witnessed-query'
import type { WitnessedQuery } from './witnessed-query'

const log = createLog('execution')

/** How often one statement is sent again: one that ends its server every time must not do so for ever. */
const maxReplays = 5

/**
 * `marked`: by hand, with a witness whatever it is; `witness`: what writes; `flush`: what reads, as a rule: the end of the
 * connection alone is to mean something.
 */
export type OnceWay = 'marked' | 'witness' | 'flush'

/** What goes out how, where the pool has `exactlyOnce`. */
const writing: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge'])

/** Whether a statement is marked `exactlyOnce` itself. */
export function isMarkedOnce(query: unknown): boolean {
  return typeof query === 'object' && query !== null && (query as StatementMarks).exactlyOnce === true
}

/** The way of a statement that is not marked itself, on a pool that has `exactlyOnce`; undefined: it goes as ever. */
export function onceWayOf(query: unknown): OnceWay | undefined {
  const given = typeof query === 'string' ? { text: query } : ((query ?? {}) as Given)
  const { text, rows, submit, readOnly, idempotent, exactlyOnce } = given
  if (typeof text !== 'string' || rows !== undefined || submit !== undefined) return undefined
  // What may be sent again whatever became of it needs no certainty.
  if (readOnly === true || idempotent === true || exactlyOnce === false) return undefined
  const command = commandOf(text)
  if (command === undefined) return undefined
  return writing.has(command) ? 'witness' : 'flush'
}

interface Given extends StatementMarks {
  readonly text?: unknown
  readonly values?: unknown
  readonly rows?: unknown
  readonly submit?: unknown
}

/** Runs one statement so that it is executed once, whatever becomes of its connection, or not at all and with an error. */
export async function runExactlyOnce(
  port: TransactionPort,
  query: unknown,
  values: unknown,
  way: OnceWay,
): Promise<unknown> {
  const given = (typeof query === 'string' ? { text: query } : query) as Given
  if (way === 'marked') checkText(given)
  const config = { ...given, ...(Array.isArray(values) ? { values: values as unknown[] } : {}) }
  const call = beginCall(now(), given.signal)
  for (let replays = 1; ; replays += 1) {
    const out = await port.checkout(call)
    const watch = watchForStalls()
    try {
      const ended = await new Attempt(port, out, watch).run(config, way)
      if ('result' in ended) return ended.result
      if (replays > maxReplays || port.ending) throw ended.error
      log('replay %d, %s', replays, ended.reason)
    } finally {
      watch.end()
    }
    port.story.replayed()
    if (replays > 1) await pause(replays)
    resume(call, now())
  }
}

/** @throws {@link UnsupportedStatementError} for what was marked by hand and cannot be run so. */
function checkText({ text, rows, submit }: Given): void {
  const refuse = (why: string): never => {
    throw new UnsupportedStatementError(`exactlyOnce: ${why}. Leave the mark out, or use pool.transaction`)
  }
  if (submit !== undefined) refuse('a cursor, stream or query object of its own cannot carry a witness')
  if (rows !== undefined) refuse('rows fetches page by page, so that there is no one end to be sure of')
  if (typeof text !== 'string') refuse('a statement needs a text')
  if (commandOf(text as string) === undefined) {
    refuse(
      'it is for one SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE or MERGE; what begins in another way, or holds ' +
        'several statements, may commit inside',
    )
  }
}

type Ended = { readonly result: unknown } | { readonly error: unknown; readonly reason: string }

class Attempt {
  readonly #port: TransactionPort
  readonly #out: CheckedOut
  readonly #watch: Watch
  #question: Question | undefined
  #witnessedAt = 0

  constructor(port: TransactionPort, out: CheckedOut, watch: Watch) {
    this.#port = port
    this.#out = out
    this.#watch = watch
  }

  async run(config: Given, way: OnceWay): Promise<Ended> {
    const { client, session } = this.#out
    this.#question = way === 'flush' ? undefined : this.#port.proof.ask(session)
    const questions = this.#question?.texts ?? []
    let settle: (error: unknown, result?: unknown) => void = () => undefined
    const answered = new Promise<unknown>((resolve, reject) => {
      settle = (error, result) => (error ? reject(error) : resolve(result))
    })
    const query = createWitnessedQuery(client, { config, questions, flushAfter: 'statement' }, settle)
    this.#witnessedAt = now()
    client.query(query as never)
    try {
      const result = await answered
      this.#port.proof.acknowledged.add(session, carriedBy(this.#question, query), config.tag)
      this.#out.release(false)
      return { result }
    } catch (error) {
      return await this.#failed(config, query, error)
    }
  }

  async #failed(config: Given, query: WitnessedQuery, error: unknown): Promise<Ended> {
    const { session } = this.#out
    const stalled = this.#watch.stalled()
    const { proof } = this.#port
    const carried = carriedBy(this.#question, query)
    const decision = await this.#decide(query, error, carried !== undefined)
    if (isReadTimeout(error)) cutSocket(session.client)
    // As pg-pool does after any error.
    this.#out.release(true)
    if (decision.action === 'replay') return { error, reason: decision.reason }
    if (decision.action === 'fail') {
      // It was the witness that was refused, and not the statement.
      const refused = query.witnessRefused ? proof.refused(session, error) : (error as Error)
      if (refused === undefined) return { error, reason: 'the server lets nobody write a witness' }
      throw refused
    }
    const found: Verdict =
      decision.action === 'look-up'
        ? await proof.lookUp(this.#port, session, { carried, witnessedAt: this.#witnessedAt, stalled })
        : carriedNothing
    const mayRepeat = config.idempotent === true || config.readOnly === true
    if (found.outcome === 'aborted' || (found.outcome === 'unknown' && mayRepeat))
      return { error, reason: found.reason }
    if (found.outcome === 'committed') {
      proof.acknowledged.add(session, carried, config.tag)
      if (!query.completed) throw resultLost(error, session)
      // What came of its rows, and could not be read, is its answer as it would have been.
      if (query._canceledDueToError) throw query._canceledDueToError as Error
      return { result: query._results }
    }
    this.#port.story.unknown()
    throw unknownOutcome(error, session, `${decision.reason}, and ${found.reason}`)
  }

  async #decide(query: WitnessedQuery, error: unknown, witnessed: boolean): Promise<OnceDecision> {
    const { session } = this.#out
    const failure = await gatherFailure(error, session, this.#port)
    const { submitted, completed } = query
    return decideOnce({ ...failure, submitted, completed, witnessed, conclusive: isConclusive(session) })
  }
}

function resultLost(cause: unknown, { host }: Session): ResultLostError {
  return new ResultLostError(
    `A statement was executed and committed on ${host}, and the connection was lost before all of its answer had come: ` +
      'look for its effect instead of sending it again',
    { cause },
  )
}

function unknownOutcome(cause: unknown, { host }: Session, reason: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `A statement was sent to ${host} and ${reason}: it was executed once or not at all, and was not sent again. ` +
      'Look for its effect before doing it once more',
    { cause },
  )
}
