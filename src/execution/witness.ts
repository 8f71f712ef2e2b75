import { connectionOf } from '../client/pg-internals'
import type { Incarnation, LookUp, Witness } from '../core/outcome/incarnation'
import { parseLsn } from '../core/outcome/lsn'
import type { Client, ServerIdentity, Session } from '../pool/session'

/** Answered in the server's text, whatever type parsers the application has set. */
export const asText = { getTypeParser: () => (value: string) => value }

/** What assigns an id to the transaction and writes a record that bears it. Any role may do that. */
const witness = `select pg_current_xact_id()::text as xid, pg_logical_emit_message(true, 'pg-leader', '')::text as lsn`

const incarnation = `(select system_identifier::text from pg_control_system()) as system_identifier,
  ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int::text as timeline,
  extract(epoch from pg_postmaster_start_time())::text as started,
  pg_last_wal_replay_lsn()::text as replay_lsn,
  (select extract(epoch from stats_reset)::text from pg_stat_bgwriter) as stats_reset`

const path = `host(inet_client_addr()) as client_address, inet_client_port()::text as client_port,
  pg_backend_pid()::text as pid`

/** The first transaction of a session has it told what its server is. */
const witnessAndServer = `${witness}, ${incarnation}, ${path}`

/** Asked of the leader about a transaction of before. */
export const incarnationQuestion = `select pg_is_in_recovery()::text as in_recovery, case when not pg_is_in_recovery() then
  (select row_to_json(i) from (select ${incarnation}) i) end::text as incarnation`

type Row = Readonly<Record<string, string | null | undefined>>

/** What is to be sent before anything else of the transaction, in the same message as its BEGIN. */
export function witnessQuestion(session: Session): string {
  return session.server === undefined ? witnessAndServer : witness
}

/** Reads the answer; from the first one of a session also what its server is. Undefined if that cannot be told. */
export function readWitness(session: Session, row: Row): Witness | undefined {
  const lsn = parseLsn(row['lsn'])
  if (row['xid'] == null || lsn === undefined) return undefined
  session.server ??= readServer(session.client, row)
  return { xid: row['xid'], lsn }
}

function readServer(client: Client, row: Row): ServerIdentity | undefined {
  const found = readIncarnation(row)
  const { systemIdentifier, timeline, postmasterStartTime } = found
  if (systemIdentifier === undefined || timeline === undefined || postmasterStartTime === undefined) return undefined
  return { incarnation: { ...found, systemIdentifier, timeline, postmasterStartTime }, direct: isDirect(client, row) }
}

/** What an answer tells of its server. */
export function readIncarnation(row: Row): LookUp['incarnation'] {
  const { timeline } = row
  return {
    systemIdentifier: row['system_identifier'] ?? undefined,
    timeline: timeline == null ? undefined : Number(timeline),
    postmasterStartTime: row['started'] ?? undefined,
    replayLsn: parseLsn(row['replay_lsn']),
    statsReset: row['stats_reset'] ?? undefined,
  } satisfies { readonly [K in keyof Incarnation]: Incarnation[K] | undefined }
}

/**
 * Whether the server sees our own end of the socket, and the backend is the one that greeted us. The server's own address
 * says nothing: a forwarded port shows that as well. Over a Unix socket there is none.
 */
function isDirect(client: Client, row: Row): boolean {
  const { stream } = connectionOf(client)
  const { localAddress, localPort } = stream as { readonly localAddress?: string; readonly localPort?: number }
  const { processID } = client as unknown as { readonly processID: number | null }
  if (row['pid'] !== String(processID)) return false
  if (row['client_address'] == null) return client.host.startsWith('/')
  return sameAddress(localAddress, row['client_address']) && row['client_port'] === String(localPort)
}

/** An IPv4 address may come in IPv6's clothes, and a link-local one with its zone. */
function sameAddress(ours: string | undefined, theirs: string): boolean {
  const plain = (address: string): string => address.replace(/^::ffff:/i, '').replace(/%.*$/, '')
  return ours !== undefined && plain(ours) === plain(theirs)
}
