/**
 * How a connection string looks to `pg`, as far as needed to decide whether `pg` can have it unread.
 *
 * - `pg`: one host and nothing of ours, or a form that only pg knows (`/dir dbname`, `socket:…`): pg reads it, or fails on
 *   it, as it always did.
 * - `uri`: a host list or one of the keywords we follow a leader by.
 * - `keyword-value`: libpq's other form, which pg cannot read at all.
 */
export interface PgString {
  readonly form: 'pg' | 'uri' | 'keyword-value'
  /** What pg would dial, best effort; empty where the string does not say. Meaningful for `pg` only. */
  readonly host: string
  readonly port: string
}

const uri = /^(?!socket:)[a-z][a-z0-9+.-]*:\/\/([^/?#]*)[^?#]*(?:\?([^#]*))?/i

/** Looks at a string with pg's eyes: here the credentials end at the *last* `@`, and the authority at `/`, `?` or `#`. */
export function readPgString(text: string): PgString {
  if (text.startsWith('/')) return { form: 'pg', host: text.split(' ')[0] ?? '', port: '' }
  const match = uri.exec(text)
  if (match === null) {
    return { form: /^\s*[a-z_]+\s*=/i.test(text) ? 'keyword-value' : 'pg', host: '', port: '' }
  }
  const authority = match[1] ?? ''
  const [, host = '', port = ''] =
    /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? []
  const query = new Map<string, string>()
  for (const part of (match[2] ?? '').split('&')) {
    const [name = '', value = ''] = part.split('=', 2)
    query.set(decode(name), decode(value))
  }
  const dialled = query.get('host') || decode(host.replace(/^\[(.*)\]$/, '$1'))
  const dialledPort = query.get('port') || port
  // The whole authority counts in `a:1,b:2`, where the pattern above sees the port "1,b:2".
  const ours = dialled.includes(',') || dialledPort.includes(',') || followsSomebody(query)
  return { form: ours ? 'uri' : 'pg', host: dialled, port: dialledPort }
}

function followsSomebody(query: ReadonlyMap<string, string>): boolean {
  return (
    Boolean(query.get('hostaddr') || query.get('service')) ||
    (query.get('target_session_attrs') ?? 'any') !== 'any' ||
    (query.get('load_balance_hosts') ?? 'disable') !== 'disable'
  )
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
