import { connectionOf, processIdOf } from '../client/pg-internals'
import { serverColumns } from '../core/outcome/columns'
import type { IncarnationAnswer, Witness } from '../core/outcome/incarnation'
import { parseLsn } from '../core/outcome/lsn'
import type { Client, ServerIdentity, Session } from '../pool/session'
import type { Row } from './proof'

/** Columns and what they are, in the order in which they come. */
type Columns = Readonly<Record<string, string>>

/** What assigns an id to the transaction and writes a record that bears it. Any role may do that. */
const witness: Columns = {
  xid: 'pg_current_xact_id()::text',
  lsn: `pg_logical_emit_message(true, 'pg-leader', '')::text`,
}

const incarnation: Columns = {
  ...serverColumns,
  stats_reset: '(select extract(epoch from stats_reset)::text from pg_stat_bgwriter)',
}

const path: Columns = {
  client_address: 'host(inet_client_addr())',
  client_port: 'inet_client_port()::text',
  pid: 'pg_backend_pid()::text',
}

function select(columns: Columns): string {
  return `select ${Object.entries(columns)
    .map(([name, expression]) => `${expression} as ${name}`)
    .join(', ')}`
}

/** Of a transaction that has written nothing: it is given no id, and writes nothing. */
const witnessIfWritten: Columns = {
  xid: 'x::text',
  lsn: `(case when x is not null then pg_logical_emit_message(true, 'pg-leader', '') end)::text`,
}

const server: Columns = { ...incarnation, ...path }

/** What is asked, and the columns of its answer in their order. */
export interface WitnessQuestion {
  readonly columns: readonly string[]
  readonly text: string
}

function ask(columns: Columns, from = ''): WitnessQuestion {
  return { columns: Object.keys(columns), text: select(columns) + from }
}

const assigned = ' from pg_current_xact_id_if_assigned() x'
const questions = {
  witness: { alone: ask(witness), withServer: ask({ ...witness, ...server }) },
  commit: { alone: ask(witnessIfWritten, assigned), withServer: ask({ ...witnessIfWritten, ...server }, assigned) },
}

/** Asked of the leader about a transaction of before. */
export const incarnationQuestion = `select pg_is_in_recovery()::text as in_recovery, case when not pg_is_in_recovery() then
  (select row_to_json(i) from (${select(incarnation)}) i) end::text as incarnation`

/** What is to be sent before anything else of the transaction, in the same message as its BEGIN. */
export function witnessQuestion(session: Session): WitnessQuestion {
  return questionOf(questions.witness, session)
}

/** What is to be sent before a COMMIT of somebody else's. */
export function commitQuestion(session: Session): WitnessQuestion {
  return questionOf(questions.commit, session)
}

/**
 * The first transaction of a session has it told what its server is. Where something stands in between every one has: a
 * pooler lends each of them another server, perhaps.
 */
function questionOf(
  asked: Readonly<Record<'alone' | 'withServer', WitnessQuestion>>,
  { server }: Session,
): WitnessQuestion {
  return server?.direct === true ? asked.alone : asked.withServer
}

/** Asked of a new session, so that no transaction has to. */
export const serverQuestion = `select case when not pg_is_in_recovery() then
  (select row_to_json(i) from (${select(server)}) i) end::text as server`

/** What a new session's answer tells of its server; undefined where it is a standby still. */
export function readServerAnswer(session: Session, answer: string | null | undefined): void {
  if (answer != null) session.server ??= readServer(session.client, JSON.parse(answer) as Row)
}

/** Reads the answer, and what the server is where it tells that. Undefined if it is no witness. */
export function readWitness(session: Session, row: Row): Witness | undefined {
  const lsn = parseLsn(row['lsn'])
  if (row['xid'] == null || lsn === undefined) return undefined
  if ('pid' in row) session.server = readServer(session.client, row)
  return { xid: row['xid'], lsn }
}

function readServer(client: Client, row: Row): ServerIdentity | undefined {
  const found = readIncarnation(row)
  const { systemIdentifier, timeline, postmasterStartTime } = found
  if (systemIdentifier === undefined || timeline === undefined || postmasterStartTime === undefined) return undefined
  return { incarnation: { ...found, systemIdentifier, timeline, postmasterStartTime }, ...readPath(client, row) }
}

/** What an answer tells of its server. */
export function readIncarnation(row: Row): IncarnationAnswer {
  const { timeline } = row
  return {
    systemIdentifier: row['system_identifier'] ?? undefined,
    timeline: timeline == null ? undefined : Number(timeline),
    postmasterStartTime: row['started'] ?? undefined,
    replayLsn: parseLsn(row['replay_lsn']),
    statsReset: row['stats_reset'] ?? undefined,
  }
}

/**
 * Direct: the server sees our own end of the socket, and the backend is the one that greeted us. The server's own address
 * says nothing: a forwarded port shows that as well. Over a Unix socket there is none.
 */
function readPath(client: Client, row: Row): Pick<ServerIdentity, 'direct' | 'local'> {
  const { stream } = connectionOf(client)
  const { localAddress, localPort } = stream as { readonly localAddress?: string; readonly localPort?: number }
  const greeted = row['pid'] === String(processIdOf(client))
  const address = row['client_address']
  if (address == null) return { direct: greeted && client.host.startsWith('/'), local: true }
  const isOurs = sameAddress(localAddress, address) && row['client_port'] === String(localPort)
  return { direct: greeted && isOurs, local: address === '::1' || address.startsWith('127.') }
}

/** An IPv4 address may come in IPv6's clothes, and a link-local one with its zone. */
function sameAddress(ours: string | undefined, theirs: string): boolean {
  const plain = (address: string): string => address.replace(/^::ffff:/i, '').replace(/%.*$/, '')
  return ours !== undefined && plain(ours) === plain(theirs)
}
