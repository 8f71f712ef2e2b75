import pg from 'pg'
import type { Observation, Failure } from '../core/topology/host'
import { serverColumns } from '../core/outcome/columns'
import type { Recovery } from '../core/outcome/evidence'
import { parseLsn } from '../core/outcome/lsn'
import { connectFailureIsAboutCaller } from '../core/retry/connect-failure'
import { announcesShutdown } from '../core/retry/sqlstate'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'
import { guardBytes } from '../runtime/guard-bytes'
import type { Guard } from '../runtime/guard-bytes'
import { createLog } from '../runtime/log'
import { limit } from '../runtime/timer'

const log = createLog('monitor')

/**
 * One statement tells all. The timeline is the first eight digits of the current WAL file's name, which are right from
 * the first moment after a promotion; `pg_control_checkpoint()` lags it by a checkpoint.
 */
const everything = `select pg_is_in_recovery() as recovery,
  current_setting('default_transaction_read_only') as read_only,
  ${serverColumns.system_identifier} as system_identifier,
  case when pg_is_in_recovery() then (select received_tli::text from pg_stat_wal_receiver)
    else ${serverColumns.timeline} end as timeline,
  ${serverColumns.started} as started,
  case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as lsn,
  ${serverColumns.replay_lsn} as replay_lsn,
  case when pg_is_in_recovery() then (select min_recovery_end_timeline::text from pg_control_recovery()) end
    as recovery_timeline`

/** What a pooler or a fork answers as well. */
const roleOnly = `select pg_is_in_recovery() as recovery,
  current_setting('default_transaction_read_only') as read_only`

/** For so long a standby that told everything is asked for no more than a sign that it is one still. */
const fullAnswerMillis = 250

/** What an application sets for its own clients does not concern a monitor. */
const ofOurOwn = {
  query_timeout: 0,
  connectionTimeoutMillis: 0,
  binary: false,
  pipeline: false,
  Promise: undefined,
  types: asText,
} as const

/** As the server sends it: text, whatever type parsers the application has set. */
interface Row {
  readonly recovery: string
  readonly read_only: string
  readonly system_identifier?: string | null
  readonly timeline?: string | null
  readonly started?: string | null
  readonly lsn?: string | null
  readonly replay_lsn?: string | null
  readonly recovery_timeline?: string | null
}

/** The answer of one host to one question, or why there is none. */
export type ProbeResult =
  | { readonly ok: true; readonly answer: Observation; readonly recovery: Recovery }
  | { readonly ok: false; readonly failure: Failure }

type Answer = Extract<ProbeResult, { ok: true }>

/**
 * A session parked on one host, over which that host is asked what it is. It survives a promotion, so the news comes with
 * the next answer; a restart ends it, which is news as well. It never keeps the process alive.
 */
export class Probe {
  readonly #host: string
  readonly #signIn: () => SignIn
  readonly #lost: (why: string) => void
  #session: Session | undefined
  #socket: Stream | undefined
  #guard: Guard | undefined
  #asking = false
  /** The question that is open, or was the last. */
  #asked: { open: boolean } | undefined
  #question = everything
  /** The last full answer, and when it was asked for. */
  #last: (Answer & { readonly at: number }) | undefined
  /** Counts the sessions. */
  #sessions = 0
  /** `in_hot_standby`, as the parked session last reported it (PostgreSQL 14 and newer). */
  #inHotStandby: boolean | undefined

  /** `lost` is told when the parked session ends, or a shutdown is announced on it, while no question is open. */
  constructor(host: string, signIn: () => SignIn, lost: (why: string) => void) {
    this.#host = host
    this.#signIn = signIn
    this.#lost = lost
  }

  /** Asks; the answer, or the reason why there is none, comes within `timeoutMillis`. Never rejects. */
  async ask(timeoutMillis: number): Promise<ProbeResult> {
    const question = { open: true, sentAt: now() }
    this.#asking = true
    this.#guard?.restart()
    this.#asked = question
    let expire: (failure: ProbeResult) => void = () => undefined
    const expiry = new Promise<ProbeResult>((resolve) => (expire = resolve))
    const timer = limit(timeoutMillis, () => {
      this.close()
      const message = `did not answer within ${timeoutMillis} ms`
      expire(failed(Object.assign(new Error(message), { code: 'ETIMEDOUT' })))
    })
    try {
      return await Promise.race([this.#answer(question), expiry])
    } finally {
      timer.cancel()
      question.open = false
      this.#asking = false
    }
  }

  async #answer(question: { readonly open: boolean; readonly sentAt: number }): Promise<ProbeResult> {
    const parked = this.#session
    let session = parked
    try {
      session ??= await this.#connect(question)
      session.unref()
      if (session === parked) {
        const standby = await this.#stillStandby(session, question.sentAt)
        if (standby !== undefined) return standby
      }
      const at = now()
      const row = await this.#query(session)
      const answer = observation(row, question.sentAt)
      const result = { ok: true, answer, recovery: recovery(row, this.#sessions) } as const
      this.#last = { ...result, at }
      return result
    } catch (error) {
      if (session !== undefined) this.#close(session)
      // That a parked session has ended says nothing of the host: it is asked over a new one.
      if (parked !== undefined && question.open) return this.#answer(question)
      return failed(error as Error)
    }
  }

  /**
   * A standby that reports its role is asked with a bare Sync, many times a second while somebody waits for a promotion: the
   * change comes with the next reply of any kind. `undefined`: it is to be asked for everything.
   */
  async #stillStandby(session: Session, sentAt: number): Promise<Answer | undefined> {
    const last = this.#last
    const isDue = last === undefined || !last.answer.inRecovery || sentAt - last.at > fullAnswerMillis
    if (isDue || this.#inHotStandby !== true) return undefined
    await synced(session)
    if (!this.#isInHotStandby()) return undefined
    const answer = Object.freeze({ ...last.answer, roundTripMillis: now() - sentAt })
    return { ok: true, answer, recovery: last.recovery }
  }

  /** A method, as it changes under the eyes of whoever waits. */
  #isInHotStandby(): boolean {
    return this.#inHotStandby === true
  }

  async #query(session: Session): Promise<Row> {
    try {
      return await only(session.query<Row>(this.#question))
    } catch (error) {
      const { code } = error as { code?: string }
      const unreadable = this.#question === everything && session === this.#session && isUnreadable(code)
      if (!unreadable) throw error
      log('%s: %s; going by its role alone, without timeline and identity', this.#host, (error as Error).message)
      this.#question = roleOnly
      return only(session.query<Row>(this.#question))
    }
  }

  /** A new session; a password that was refused is asked for once more. */
  async #connect(question: { readonly open: boolean }): Promise<Session> {
    const signIn = this.#signIn()
    try {
      return await this.#connected(this.#open(signIn.options))
    } catch (error) {
      const again = question.open ? signIn.again(error as Error) : undefined
      if (again === undefined) throw error
      return await this.#connected(this.#open(again))
    }
  }

  async #connected(session: Session): Promise<Session> {
    try {
      await session.connect()
      return session
    } catch (error) {
      this.#close(session)
      throw error
    }
  }

  #open(given: pg.ClientConfig): Session {
    // By descriptors: a password may be hidden from enumeration.
    const options = Object.defineProperties({}, Object.getOwnPropertyDescriptors(given))
    const session = new pg.Client(Object.assign(options, ofOurOwn)) as Session
    const onLoss = (why: string): void => {
      if (this.#session !== session) return
      this.#close(session)
      if (!this.#asking) this.#lost(why)
    }
    session.on('error', (error: Error) => onLoss(error.message))
    session.on('end', () => onLoss('the session ended'))
    session.on('notice', ({ code, message }) => {
      if (announcesShutdown(code)) onLoss(message ?? 'shutting down')
    })
    this.#session = session
    this.#sessions += 1
    // Never lifted: a monitor asks for little.
    this.#guard = guardBytes(session.connection)
    this.#inHotStandby = undefined
    session.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      if (this.#session === session && parameterName === 'in_hot_standby') this.#inHotStandby = parameterValue === 'on'
    })
    // A process that has nothing else to do may end.
    this.#socket = session.connection.stream
    this.#socket.unref?.()
    return session
  }

  /**
   * Ends the parked session, if there is one, without waiting for a server that may be frozen. A question that is open
   * is given up: it must not open another session.
   */
  close(): void {
    if (this.#asked !== undefined) this.#asked.open = false
    if (this.#session !== undefined) this.#close(this.#session)
  }

  #close(session: Session): void {
    if (this.#session === session) this.#session = undefined
    session.end().catch(() => undefined)
    session.connection.stream.destroy()
    // Under TLS the stream is the wrapper, and the socket an object of its own.
    this.#socket?.destroy()
  }
}

/** The options of one connection, and those for another one if the server refuses the password in them. */
interface SignIn {
  readonly options: pg.ClientConfig
  again(error: Error): pg.ClientConfig | undefined
}

interface Stream {
  unref?(): void
  destroy(): void
}

/** pg's Client with the members that its type declarations leave out. */
interface Session extends pg.Client {
  readonly connection: pg.Connection & { readonly stream: Stream; sync(): void; attachListeners?(stream: object): void }
  unref(): void
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** Resolves with the server's reply to a Sync; rejects when the session has ended instead. */
function synced(session: Session): Promise<void> {
  const { connection } = session
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      connection.removeListener('readyForQuery', ready)
      connection.removeListener('end', ended)
      act()
    }
    const ready = (): void => settle(resolve)
    const ended = (): void => settle(() => reject(new Error('Connection terminated unexpectedly')))
    connection.once('readyForQuery', ready)
    connection.once('end', ended)
    connection.sync()
  })
}

async function only(result: Promise<pg.QueryResult<Row>>): Promise<Row> {
  const row = (await result).rows[0]
  if (row === undefined) throw Object.assign(new Error('the host answered with no row'), { code: '08P01' })
  return row
}

/** Undefined function, column or table, missing right, not supported: this server does not show it to us. */
function isUnreadable(code: string | undefined): boolean {
  return code !== undefined && (code.startsWith('42') || code === '0A000' || code === '22023')
}

function observation(row: Row, sentAt: number): Observation {
  return Object.freeze({
    inRecovery: row.recovery === 't',
    defaultTransactionReadOnly: row.read_only === 'on',
    systemIdentifier: row.system_identifier ?? undefined,
    timeline: row.timeline == null ? undefined : Number(row.timeline),
    postmasterStartTime: row.started ?? undefined,
    lsn: parseLsn(row.lsn),
    roundTripMillis: now() - sentAt,
  })
}

function recovery(row: Row, session: number): Recovery {
  const { recovery_timeline: timeline } = row
  return Object.freeze({
    replayLsn: parseLsn(row.replay_lsn),
    timeline: timeline == null ? undefined : Number(timeline),
    session,
  })
}

function failed(error: Error & { code?: unknown }): ProbeResult {
  const { message, code } = error
  const reason =
    typeof code !== 'string' || code === 'ETIMEDOUT' || message.includes(code) ? message : `${message} (${code})`
  return { ok: false, failure: Object.freeze({ reason, aboutCaller: connectFailureIsAboutCaller(error), error }) }
}
