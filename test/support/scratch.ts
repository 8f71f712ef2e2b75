import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync, statSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ServerIdentity } from './identity'

/** Memory that a few clusters with their write-ahead log can fill without harm. */
const ENOUGH = 4 * 2 ** 30
const TMPFS_MAGIC = 0x01021994

/**
 * The directory below which clusters live. In memory if there is plenty and nobody has said otherwise by `TMPDIR`: a disk
 * makes starting ten times slower and lets the servers stall now and then, which a failover must not be blamed for.
 */
export function clusterRoot(identity: ServerIdentity): string {
  const memory = '/dev/shm'
  if (process.env['TMPDIR'] || !existsSync(memory) || !canEnter(memory, identity)) return scratchRoot(identity)
  const { type, bavail, bsize } = statfsSync(memory)
  return type === TMPFS_MAGIC && bavail * bsize >= ENOUGH ? memory : scratchRoot(identity)
}

/** The system's directory for temporary files, unless the servers' uid cannot even enter that. */
export function scratchRoot(identity: ServerIdentity): string {
  const preferred = realpathSync(tmpdir())
  return canEnter(preferred, identity) ? preferred : realpathSync('/tmp')
}

/** Where what later runs reuse is kept: binaries the servers' uid can read, initialised data directories, port locks. */
export function cacheRoot(identity: ServerIdentity): string {
  const ours = process.getuid?.() ?? 0
  const path = join(scratchRoot(identity), `pg-leader-cache-${ours}`)
  mkdirSync(path, { recursive: true, mode: 0o755 })
  const stats = lstatSync(path)
  // Its name can be guessed, so somebody else may have been there first; what lies inside is executed.
  if (!stats.isDirectory() || stats.uid !== ours || (stats.mode & 0o022) !== 0) {
    throw new Error(`${path} is not a directory that belongs to uid ${ours} alone: remove it`)
  }
  // Whatever the umask says, the servers' user has to come through.
  if ((stats.mode & 0o755) !== 0o755) chmodSync(path, 0o755)
  return path
}

function canEnter(path: string, identity: ServerIdentity): boolean {
  if (identity === undefined) return true
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const bit = uid === identity.uid ? 0o100 : gid === identity.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (at === dirname(at)) return true
  }
}
