import { serverColumns } from '../core/outcome/columns'
import { now, wallClock } from '../runtime/clock'
import { uniqueId } from '../runtime/random'
import type { Question, Row } from './proof'

/** A row by which a transaction can be told to be committed, and what is known of the session that wrote it. */
export interface Marker {
  /** Made here, so that it is known whatever becomes of the answer. */
  readonly id: string
  /** When it was made, by either clock. */
  readonly made: { readonly at: number; readonly wall: number }
  /** The process at the server's end, and when its transaction began, as `pg_stat_activity` has it; undefined: not told. */
  readonly owner: { readonly pid: string; readonly begun: string } | undefined
}

const savepoint = 'pg_leader'
const columns = ['pid', 'begun']

/** `now()` is when the transaction began: together with the pid nobody else's. */
const returning = 'returning pg_backend_pid()::text as pid, extract(epoch from now())::text as begun'

/** How old a marker is, in milliseconds: at least so much, whatever was done to either clock. */
export function ageOf({ made }: Marker): number {
  return Math.max(now() - made.at, wallClock() - made.wall)
}

/** What goes with BEGIN, or before a statement. The row is as old as it is, and not as its transaction. */
export function markerQuestion(table: string): Question<Marker> {
  return question((id) => [`insert into ${table} (id, written_at) values ('${id}', clock_timestamp()) ${returning}`])
}

/**
 * For a COMMIT of somebody else's: a transaction that has written nothing writes nothing. A READ ONLY one is not allowed even
 * that, hence the savepoint: the COMMIT is sent once more then, as it came.
 */
export function markerCommitQuestion(table: string): Question<Marker> {
  const retreat = (code: string | undefined): Question<Marker> | undefined =>
    code === '25006' || code?.startsWith('42') === true ? retreatQuestion : undefined
  return question(
    (id) => [
      `savepoint ${savepoint}`,
      `insert into ${table} (id, written_at) select '${id}', clock_timestamp()
        where txid_current_if_assigned() is not null ${returning}`,
    ],
    retreat,
  )
}

const retreatQuestion: Question<Marker> = {
  texts: [`rollback to savepoint ${savepoint}`, 'select txid_current_if_assigned()::text as xid'],
  columns: ['xid'],
  read: () => undefined,
  wrote: (row) => row?.['xid'] != null,
  retreat: () => undefined,
}

function question(
  textsOf: (id: string) => readonly string[],
  retreat: Question<Marker>['retreat'] = () => undefined,
): Question<Marker> {
  const id = uniqueId()
  const made = { at: now(), wall: wallClock() }
  return {
    texts: textsOf(id),
    columns,
    read: (row) => ({ id, made, owner: ownerOf(row) }),
    wrote: (row) => row !== undefined,
    retreat,
  }
}

function ownerOf(row: Row | undefined): Marker['owner'] {
  const { pid, begun } = row ?? {}
  return pid == null || begun == null ? undefined : { pid, begun }
}

/** What timeline a primary is on; a standby answers with no row. */
export const timelineQuestion = `select ${serverColumns.timeline} as timeline where not pg_is_in_recovery()`

/**
 * In a transaction that has begun: whether the row is there; and if it is not, that it never will be: what is on its way still runs into this one, and fails. As
 * long as its transaction is at work the server waits, for a short time.
 */
export function claimQuestion(table: string, id: string): string {
  return `set local lock_timeout = '200ms';
    insert into ${table} (id, committed) values ('${id}', false)
    on conflict (id) do update set id = excluded.id returning committed::text as committed; commit`
}

/** Whether the row is there, where its absence would say nothing. */
export function glanceQuestion(table: string, id: string): string {
  return `select pg_is_in_recovery()::text as in_recovery,
    (select committed::text from ${table} where id = '${id}') as committed; rollback`
}

/** Everything that is ever done to the table, done to no row. */
export function checkQuestion(table: string): string {
  return `insert into ${table} (id, committed, written_at) select null::uuid, false, now() where false
    on conflict (id) do update set id = excluded.id returning committed; delete from ${table} where false`
}

/** Deletes some of the rows that are older than that. Several processes may do so at the same time. */
export function pruneQuestion(table: string, maxAgeMillis: number, most: number): string {
  return `delete from ${table} where id in (select id from ${table}
    where written_at < now() - interval '${Math.ceil(maxAgeMillis)} milliseconds' order by written_at limit ${most}
    for update skip locked)`
}

/** What of these is not there: of the leader alone that says anything. */
export function missingQuestion(table: string): string {
  return `select pg_is_in_recovery()::text as in_recovery, coalesce((select json_agg(x) from unnest($1::uuid[]) x
    where not exists (select from ${table} t where t.id = x and t.committed)), '[]')::text as missing`
}
