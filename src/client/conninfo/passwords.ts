import { findPassword } from '../../core/conninfo/password-file'
import type { PasswordKey } from '../../core/conninfo/password-file'
import type { Surroundings } from './surroundings'

/** Builds of libpq differ in their default socket directory; these two are the common ones. */
const defaultSocketDirectories: readonly string[] = ['/tmp', '/var/run/postgresql']

/**
 * Looks a password up in the password file, as libpq does: `passfile` if given, else the user's own. A file that is not
 * plain, or that others may read, is not used.
 *
 * @param note - is told in one line why a file that exists was not used.
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
  if (defaultSocketDirectories.includes(key.host)) {
    const found = findPassword(file.text, { ...key, host: 'localhost' })
    if (found !== undefined) return found
  }
  return findPassword(file.text, key)
}

function userFile({ env, windows, home }: Surroundings): string | undefined {
  if (windows) return env['APPDATA'] && `${env['APPDATA']}\\postgresql\\pgpass.conf`
  const directory = env['HOME'] || home
  return directory && `${directory}/.pgpass`
}
