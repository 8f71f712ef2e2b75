import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publish } from './binaries'
import type { Binaries } from './binaries'
import type { ServerIdentity } from './identity'
import { run } from './run'

/** The superuser of every test cluster. The password is distinctive, so that tests can look for it where it must not be. */
export const CREDENTIALS = Object.freeze({ user: 'postgres', password: 'follow-my-l3ader', database: 'postgres' })

const INITDB = ['--no-locale', '--encoding=UTF8', '--auth=scram-sha-256', '--no-sync', '--no-instructions']

/** A data directory that was initialised and never started. initdb takes a second or two, a copy of it a tenth. */
export async function dataTemplate(binaries: Binaries, identity: ServerIdentity, cache: string): Promise<string> {
  const recipe = createHash('sha256')
    .update(JSON.stringify([INITDB, CREDENTIALS]))
    .digest('hex')
    .slice(0, 12)
  const target = join(cache, `data-${binaries.version}-${identity?.uid ?? 'own'}-${recipe}`)
  if (existsSync(target)) return target
  const temporary = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`
  const passwordFile = `${temporary}.password`
  try {
    await mkdir(temporary, { mode: 0o700 })
    await writeFile(passwordFile, `${CREDENTIALS.password}\n`, { mode: 0o600 })
    if (identity !== undefined) {
      await chown(temporary, identity.uid, identity.gid)
      await chown(passwordFile, identity.uid, identity.gid)
    }
    const args = [...INITDB, `--username=${CREDENTIALS.user}`, `--pwfile=${passwordFile}`, '-D', temporary]
    await run(binaries.initdb, args, { identity })
    await publish(temporary, target)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(temporary, { recursive: true, force: true })
  }
  return target
}
