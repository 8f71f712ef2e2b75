import { mayBePruned } from '../core/outcome/marker-age'
import type { Undecided, Verdict } from '../core/outcome/judge'
import { serverCode, sqlstate } from '../core/retry/sqlstate'
import { ConnInfoError } from '../errors'
import type { PoolClient, Session } from '../pool/session'
import { asText } from '../runtime/as-text'
import { createLog } from '../runtime/log'
import { AcknowledgedMarkers } from './acknowledged-markers'
import { carriedNothing, inquire, onLeader } from './look-up'
import type { LookUpPort, Unanswered } from './look-up'
import {
  ageOf,
  checkQuestion,
  claimQuestion,
  glanceQuestion,
  markerCommitQuestion,
  markerQuestion,
  timelineQuestion,
} from './marker'
import type { Marker } from './marker'
import type { Proof, Question, Row } from './proof'

const log = createLog('execution')

/** The table of marker rows of a pool, as its option `outcome` says. */
export interface MarkerOptions {
  /** As the application wrote it. */
  readonly given: string
  /** With its schema, for statements. */
  readonly table: string
  readonly maxAgeMillis: number
}

/**
 * By a row that each transaction writes: it is there if, and only if, the transaction was committed. Nothing has to be known of
 * the server or of the way to it.
 */
export class MarkerProof implements Proof<Marker> {
  readonly #options: MarkerOptions
  readonly acknowledged: AcknowledgedMarkers

  /** `written`: called whenever a row has been committed. */
  constructor(options: MarkerOptions, written: () => void) {
    this.#options = options
    this.acknowledged = new AcknowledgedMarkers(options, written)
  }

  ask(): Question<Marker> {
    return markerQuestion(this.#options.table)
  }

  askAtCommit(): Question<Marker> {
    return markerCommitQuestion(this.#options.table)
  }

  /** A COMMIT whose row is refused goes without one, so it has to be known before that rows can be written. */
  async greet(session: Session): Promise<void> {
    try {
      await session.client.query(checkQuestion(this.#options.table))
    } catch (error) {
      // A standby, or a host that is no leader any more: who goes there is told so as ever.
      if (serverCode(error) !== sqlstate.readOnlySqlTransaction) throw this.refused(session, error)
    }
  }

  /** No such table or column, no right to it: nothing goes without a row. */
  refused({ host }: Session, error: unknown): Error {
    if (serverCode(error)?.startsWith('42') !== true) return error as Error
    const { given, table } = this.#options
    return new ConnInfoError(
      `outcome.table is ${JSON.stringify(given)}, and no marker can be written to ${table} on ${host}: ` +
        `${(error as Error).message}. Create it with the statements that outcomeTable(${JSON.stringify(given)}) returns, and ` +
        'grant select, insert, update and delete on it to the role of this pool',
      { cause: error },
    )
  }

  lookUp(port: LookUpPort, { generation }: Session, { carried }: Unanswered<Marker>): Promise<Verdict> {
    if (carried === undefined) return Promise.resolve(carriedNothing)
    return inquire(port, {
      about: carried.id,
      ask: async () => {
        const verdict = await onLeader(port, (client) => this.#ask(port, client, carried))
        return generation < port.historySince ? anotherHistory : verdict
      },
      endOwnSession: () => endOwnSession(port, carried),
    })
  }

  /** All of it is asked of one server: what stands in between may lend each transaction another one. */
  async #ask(port: LookUpPort, client: PoolClient, marker: Marker): Promise<Verdict | Undecided | undefined> {
    const { table, maxAgeMillis } = this.#options
    await client.query('begin isolation level read committed')
    if (!(await isOfThisHistory(port, client))) {
      await client.query('rollback')
      return undefined
    }
    const isOld = mayBePruned(ageOf(marker), maxAgeMillis)
    try {
      return verdictOf(await answerOf(client, (isOld ? glanceQuestion : claimQuestion)(table, marker.id)))
    } catch (error) {
      if (serverCode(error) !== sqlstate.lockNotAvailable) throw error
      await client.query('rollback')
      return { outcome: 'undecided', own: true, reason: 'its session is still at work on it' }
    }
  }
}

/**
 * Whether this server's history is the one that is followed: by way of a pooler one may answer that history has left. Where
 * timelines cannot be read that is not known of anybody.
 */
async function isOfThisHistory({ timeline }: LookUpPort, client: PoolClient): Promise<boolean> {
  if (timeline === undefined) return true
  const row = await answerOf(client, timelineQuestion)
  return row !== undefined && Number(row['timeline']) >= timeline
}

const anotherHistory: Verdict = {
  outcome: 'unknown',
  reason: 'another history is followed now than the one that it ran in',
}

/** The row that one of these statements answers with. */
async function answerOf(client: PoolClient, text: string): Promise<Row | undefined> {
  const results = (await client.query({ text, types: asText })) as unknown as { readonly rows: Row[] }
  return [results].flat().flatMap(({ rows }) => rows)[0]
}

function verdictOf(row: Row | undefined): Verdict | undefined {
  if (row?.['in_recovery'] === 'true') return undefined
  switch (row?.['committed']) {
    case 'true':
      return { outcome: 'committed', reason: 'the leader has its marker' }
    case 'false':
      return { outcome: 'aborted', reason: 'the leader does not have its marker, and lets nobody write it any more' }
    default:
      return { outcome: 'unknown', reason: 'its marker may have been deleted for its age (outcome.maxAgeMillis)' }
  }
}

/**
 * The same pid may be somebody else's by now, but not with a transaction that began at the same microsecond. What waits for a
 * synchronous standby has committed already and is left alone.
 */
async function endOwnSession(port: LookUpPort, { id, owner }: Marker): Promise<void> {
  if (owner === undefined) return
  const text = `select pg_terminate_backend(pid)::text as ended from pg_stat_activity
    where pid = $1::int and extract(epoch from xact_start)::text = $2 and wait_event is distinct from 'SyncRep'`
  const values = [owner.pid, owner.begun]
  const { rows } = await onLeader(port, (client) => client.query<Row>({ text, values, types: asText }))
  if (rows[0]?.['ended'] === 'true') log('%s: its session went on without us and was ended', id)
}
