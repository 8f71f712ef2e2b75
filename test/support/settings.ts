/** Everything but port, socket directory and name, which are given on the command line of each server. */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  shared_buffers: '16MB',
  // Nothing here has to survive the machine: kill -9 leaves what was written in the kernel's hands.
  fsync: 'off',
  // In files below the data directory, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  wal_level: 'replica',
  hot_standby: 'on',
  wal_log_hints: 'on',
  max_wal_senders: '20',
  max_replication_slots: '20',
  wal_keep_size: '512MB',
  // The default of five seconds is what a re-pointed standby would wait.
  wal_retrieve_retry_interval: '50ms',
  wal_receiver_status_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
}

/** Of several servers that share one archive. A file is there whole or not at all, and the first to bring it has the say. */
export function archiveSettings(directory: string): Readonly<Record<string, string>> {
  return {
    archive_mode: 'on',
    archive_command: `test -f ${directory}/%f || (cp %p ${directory}/%f.$$ && mv -n ${directory}/%f.$$ ${directory}/%f)`,
    restore_command: `cp ${directory}/%f %p`,
  }
}

/** Text for postgresql.conf; what is given wins. ALTER SYSTEM still overrides all of it. */
export function settingsText(settings: Readonly<Record<string, string>>): string {
  return Object.entries({ ...DEFAULTS, ...settings })
    .map(([name, value]) => `${name} = ${quote(value)}\n`)
    .join('')
}

/** Quotes a value for postgresql.conf, and for an SQL command with standard_conforming_strings. */
export function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
