import { chown, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { copy } from './copy'
import type { Host } from './host'
import type { ServerIdentity } from './identity'
import { removeRemains } from './processes.mjs'
import { writeOwned } from './replication'
import { withClient } from './session'

/** Never copied: they speak of the other server's processes, or of its part in replication. */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'standby.signal', 'recovery.signal', 'backup_label'])
/** Only the directory is wanted, as the manual says of base backups; pg_wal is filled at the end. */
const EMPTIED = new Set(
  'pg_wal pg_replslot pg_dynshmem pg_notify pg_serial pg_snapshots pg_stat_tmp pg_subtrans'.split(' '),
)

/**
 * A base backup of a running server by the low-level API (pg_basebackup does not ship with the binaries), in place of
 * whatever the target's data directory held. The target must not run.
 */
export async function baseBackup(source: Host, target: Host, identity: ServerIdentity): Promise<void> {
  const from = source.dataDirectory
  const to = target.dataDirectory
  // While its pid file is still there to say what a killed server has left.
  await removeRemains(to)
  await rm(to, { recursive: true, force: true })
  await makeDirectory(to, identity)
  await withClient(source, async (client) => {
    await client.query('select pg_backup_start($1, true)', [target.name])
    const entries = (await readdir(from)).filter((name) => !LEFT_OUT.has(name))
    const copied = entries.filter((name) => !EMPTIED.has(name)).map((name) => join(from, name))
    await copy(copied, to, identity)
    for (const name of entries) if (EMPTIED.has(name)) await makeDirectory(join(to, name), identity)
    // Last, so that a source that is itself a standby cannot claim a later end of recovery than its files have reached.
    await copy([join(from, 'global', 'pg_control')], join(to, 'global'), identity)
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
    const label = rows[0]?.labelfile ?? ''
    await writeOwned(join(to, 'backup_label'), label, identity)
    const first = /START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)/.exec(label)?.[1]
    if (first === undefined) throw new Error(`no WAL file named in the backup label of ${source.name}: ${label}`)
    const wal = (await readdir(join(from, 'pg_wal'))).filter((name) => isNeeded(name, first))
    await copy(
      wal.map((name) => join(from, 'pg_wal', name)),
      join(to, 'pg_wal'),
      identity,
    )
  })
}

function isNeeded(name: string, first: string): boolean {
  // The first eight digits are the timeline; position is what counts.
  return name.endsWith('.history') || (/^[0-9A-F]{24}$/.test(name) && name.slice(8) >= first.slice(8))
}

async function makeDirectory(path: string, identity: ServerIdentity): Promise<void> {
  await mkdir(path, { mode: 0o700 })
  if (identity !== undefined) await chown(path, identity.uid, identity.gid)
}
