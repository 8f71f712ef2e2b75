/**
 * What identifies a server and its incarnation, as text. Asked by the monitors and by sessions alike: their answers are held
 * against each other, so they are of one spelling. The timeline is that of a primary; a standby answers that with an error.
 */
export const serverColumns = {
  system_identifier: '(select system_identifier::text from pg_control_system())',
  timeline: `('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int::text`,
  started: 'extract(epoch from pg_postmaster_start_time())::text',
  replay_lsn: 'pg_last_wal_replay_lsn()::text',
} as const
