import { findPassword } from '../../core/conninfo/password-file'
import type { PasswordKey } from '../../core/conninfo/password-file'
import { ConnInfoError } from '../../errors'
import type { Surroundings } from './surroundings'

/** Builds of libpq differ in their default socket directory; these two are the common ones. */
const defaultSocketDirectories: readonly string[] = ['/tmp', '/var/run/postgresql']

/**
 * Looks a password up in the password file, as libpq does: `passfile` if given, else the user's own. A file that is not
 * plain, or that others may read, is not used.
 *
 * @param note - is told in one line why a file that exists was not used.
 * @throws {@link ConnInfoError} where the password holds bytes that a JavaScript string cannot.
 */
export function lookUpPassword(
  key: PasswordKey,
  passfile: string | undefined,
  surroundings: Surroundings,
  note: (line: string) => void,
): string | undefined {
  const path = passfile || userFile(surroundings)
  const file = path === undefined ? undefined : surroundings.readFile(path)
  if (path === undefined || file === undefined) return undefined
  if (!file.plain) {
    note(`password file ${path} is not used: it is not a plain file`)
    return undefined
  }
  if (file.open) {
    note(`password file ${path} is not used: group or world have access; its mode should be 0600 or less`)
    return undefined
  }
  const standsIn = defaultSocketDirectories.includes(key.host)
  const found = standsIn ? findPassword(file.text, { ...key, host: 'localhost' }) : undefined
  const password = found ?? findPassword(file.text, key)
  if (!password?.includes('\uFFFD')) return password
  throw new ConnInfoError(
    `passfile: the password in ${JSON.stringify(path)} for ${key.host}:${key.port} is not UTF-8; rewrite the file in UTF-8`,
  )
}

function userFile({ env, windows, home }: Surroundings): string | undefined {
  if (windows) return env['APPDATA'] && `${env['APPDATA']}\\postgresql\\pgpass.conf`
  const directory = env['HOME'] || home
  return directory && `${directory}/.pgpass`
}
