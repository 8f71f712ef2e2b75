import type { ConnInfoParameters } from '../../core/conninfo/keywords'
import { findService } from '../../core/conninfo/service-file'
import { ConnInfoError } from '../../errors'
import type { Surroundings } from './surroundings'

/** Where libpq was built to look on Debian; elsewhere PGSYSCONFDIR says it, since a JavaScript library has no build. */
const defaultSystemDirectory = '/etc/postgresql-common'

/**
 * Looks a service up as libpq does: in PGSERVICEFILE, which must then exist, else in the user's own file, then in the
 * system's.
 *
 * @throws {@link ConnInfoError} naming service and file.
 */
export function readService(name: string, surroundings: Surroundings): ConnInfoParameters {
  const { env } = surroundings
  const named = env['PGSERVICEFILE']
  const system = `${env['PGSYSCONFDIR'] || defaultSystemDirectory}/pg_service.conf`
  if (named && surroundings.readFile(named) === undefined) {
    throw new ConnInfoError(
      `service: the file ${quote(named)} that PGSERVICEFILE names cannot be read; correct or unset the variable`,
    )
  }
  const paths = [named || userFile(surroundings), system].filter((path) => path !== undefined)
  for (const path of paths) {
    const file = surroundings.readFile(path)
    if (file === undefined) continue
    const found = findService(file.text, name)
    if (!found.ok) throw new ConnInfoError(`service: the file ${quote(path)} cannot be used: ${found.problem.message}`)
    if (found.value !== undefined) return checkEncoding(found.value, path)
  }
  throw new ConnInfoError(
    `service: ${quote(name)} is defined in none of ${paths.map(quote).join(', ')}; ` +
      'add a group of that name or correct "service" (in the environment: PGSERVICE)',
  )
}

/** What was read is a replacement for bytes that a JavaScript string cannot hold; libpq would send them as they are. */
function checkEncoding(group: ConnInfoParameters, path: string): ConnInfoParameters {
  const foreign = Object.entries(group).find(([, value]) => value.includes('\uFFFD'))
  if (foreign === undefined) return group
  throw new ConnInfoError(
    `service: the value of ${foreign[0]} in the file ${quote(path)} is not UTF-8; rewrite the file in UTF-8`,
  )
}

function userFile({ env, windows, home }: Surroundings): string | undefined {
  if (windows) return env['APPDATA'] && `${env['APPDATA']}\\postgresql\\.pg_service.conf`
  const directory = env['HOME'] || home
  return directory && `${directory}/.pg_service.conf`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
