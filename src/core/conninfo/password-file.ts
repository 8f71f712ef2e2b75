/** Whom a password is looked up for, in the order of the file's fields. */
export interface PasswordKey {
  /** The host's name, else its address; the Unix socket's default directory goes by `localhost`. */
  readonly host: string
  readonly port: string
  readonly dbname: string
  readonly user: string
}

/**
 * Finds a password in the text of a password file (`hostname:port:database:username:password`). The first line that fits
 * counts; a field may be `*`; a backslash takes the next character as it is.
 */
export function findPassword(text: string, key: PasswordKey): string | undefined {
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r+$/, '')
    if (line.startsWith('#')) continue
    let rest: string | undefined = line
    for (const wanted of [key.host, key.port, key.dbname, key.user]) {
      rest = afterField(rest, wanted)
      if (rest === undefined) break
    }
    if (rest !== undefined) return unescape(rest)
  }
  return undefined
}

/** What follows the first field, if that field is `*` or spells `wanted`; a colon that is wanted may stand bare, as in `::1`. */
function afterField(line: string, wanted: string): string | undefined {
  if (line.startsWith('*:')) return line.slice(2)
  let at = 0
  for (const character of wanted) {
    if (line[at] === '\\') at += 1
    if (!line.startsWith(character, at)) return undefined
    at += character.length
  }
  return line[at] === ':' ? line.slice(at + 1) : undefined
}

/** The password ends at the next bare colon. */
function unescape(field: string): string {
  const end = /^(?:\\.|[^:\\]|\\$)*/s.exec(field)?.[0] ?? ''
  return end.replaceAll(/\\(.)/gs, '$1')
}
