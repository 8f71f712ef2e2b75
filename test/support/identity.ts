import { readFileSync } from 'node:fs'

/** Who the servers run as. `undefined`: as ourselves. */
export type ServerIdentity = { readonly uid: number; readonly gid: number } | undefined

const NOBODY = 65534

/**
 * PostgreSQL refuses to run as root, so root runs it as `postgres` if there is such a user, else as `nobody`.
 * Everybody else runs it as themselves.
 */
export function serverIdentity(): ServerIdentity {
  if (process.getuid === undefined) throw new Error('the test cluster needs a POSIX system')
  if (process.getuid() !== 0) return undefined
  const users = readUsers()
  return users.get('postgres') ?? users.get('nobody') ?? { uid: NOBODY, gid: NOBODY }
}

function readUsers(): Map<string, { uid: number; gid: number }> {
  const users = new Map<string, { uid: number; gid: number }>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name && uid && gid && Number(uid) > 0) users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  return users
}
