import type { ReadRoute } from './stricter'
import { leader, leaderUnlessHeld, standby } from './stricter'

/**
 * What a standby does not refuse, though there it means something else, and what only the leader can answer: functions, by why
 * they are the leader's. A star stands for any ending. What a standby refuses (`nextval`, `pg_switch_wal`, …) is not here:
 * its refusal is the answer.
 */
const functions: Readonly<Record<string, readonly string[]>> = {
  'an advisory lock holds on one host only': ['pg_advisory_*', 'pg_try_advisory_*'],
  'it names a process of one host': ['pg_cancel_backend', 'pg_terminate_backend', 'pg_log_backend_memory_contexts'],
  'a standby is ahead of the sequence': ['pg_sequence_last_value', 'pg_get_sequence_data'],
  'a snapshot belongs to one host': ['pg_export_snapshot'],
  'it acts on one host': [
    'pg_reload_conf',
    'pg_rotate_logfile',
    'pg_rotate_logfile_old',
    'pg_promote',
    'pg_wal_replay_pause',
    'pg_wal_replay_resume',
    'pg_backup_start',
    'pg_backup_stop',
    'pg_start_backup',
    'pg_stop_backup',
    'pg_file_write',
    'pg_file_sync',
    'pg_file_rename',
    'pg_file_unlink',
  ],
  'the statistics are those of one host': ['pg_stat_reset*', 'pg_stat_statements_reset'],
  'a replication slot belongs to one host': [
    'pg_create_physical_replication_slot',
    'pg_create_logical_replication_slot',
    'pg_copy_physical_replication_slot',
    'pg_copy_logical_replication_slot',
    'pg_drop_replication_slot',
    'pg_replication_slot_advance',
    'pg_sync_replication_slots',
    'pg_logical_slot_*',
  ],
  'a standby writes no WAL to tell of': ['pg_current_wal_*', 'pg_walfile_name', 'pg_walfile_name_offset'],
  'a notification reaches who listens at the leader': ['pg_notify'],
  'it changes a large object, or a file of the server': [
    'lo_creat',
    'lo_create',
    'lo_from_bytea',
    'lo_put',
    'lo_import',
    'lo_export',
    'lo_unlink',
    'lo_truncate',
    'lo_truncate64',
    'lowrite',
  ],
  'what it does elsewhere is not refused, and not undone': ['dblink*'],
}

/** The same, but only for want of the session that is meant: whoever holds it means it. */
const ofSession: typeof functions = {
  'it changes the session, which others will use': ['set_config', 'setseed'],
  'the session knows the sequences that it has used itself': ['currval', 'lastval'],
}

/** Columns and relations that read a sequence: WAL says where it will be 32 numbers later. */
const columns: ReadonlySet<string> = new Set(['last_value', 'pg_sequences'])

type Pin = (name: string) => ReadRoute

const exact = new Map<string, Pin>()
const beginnings: (readonly [string, Pin])[] = []
for (const [table, pinnedTo] of [[functions, leader] as const, [ofSession, leaderUnlessHeld] as const]) {
  for (const [because, names] of Object.entries(table)) {
    const pin: Pin = (name) => pinnedTo(`${name}(): ${because}`)
    for (const name of names) {
      if (name.endsWith('*')) beginnings.push([name.slice(0, -1), pin])
      else exact.set(name, pin)
    }
  }
}

/** Found in every text that holds one of these names, or a name that may be any: what it does not find need not be read. */
export const mayHoldPinned = new RegExp(
  [...exact.keys(), ...beginnings.map(([beginning]) => beginning), ...columns, 'u&"'].join('|'),
  'i',
)

/** Where a call of this function goes: to the leader if it is pinned. */
export function routeOfFunction(name: string): ReadRoute {
  const pin = exact.get(name) ?? beginnings.find(([beginning]) => name.startsWith(beginning))?.[1]
  return pin?.(name) ?? standby
}

/** Where it goes to read something under this name. */
export function routeOfName(name: string): ReadRoute {
  return columns.has(name) ? leader(`${name}: a standby is ahead of the sequence`) : standby
}
