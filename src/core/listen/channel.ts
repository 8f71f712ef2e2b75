/** NAMEDATALEN - 1: LISTEN would cut a longer name, and pg_notify refuses it. */
const mostBytes = 63

const utf8 = new TextEncoder()

/** Why this cannot be the name of a channel; undefined if it can. */
export function channelFault(name: unknown): string | undefined {
  if (typeof name !== 'string') return `must be a string, not ${name === null ? 'null' : typeof name}`
  if (name === '') return 'must not be empty'
  if (name.includes('\0')) return 'must not contain a NUL'
  // Half a surrogate pair is sent as another character: nothing would ever come back under this name.
  if (/\p{Surrogate}/u.test(name)) return 'must be well-formed Unicode'
  const { length } = utf8.encode(name)
  return length > mostBytes ? `must not be longer than ${mostBytes} bytes in UTF-8, and has ${length}` : undefined
}

/** A name as an identifier: the case is kept, and whatever stands in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
