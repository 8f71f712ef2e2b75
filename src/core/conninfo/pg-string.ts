import type { ConnInfoParameters } from './keywords'
import { parseParameters } from './parse-conn-info'
import { isConnInfoUri } from './uri'

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

/** What decides whether somebody is to be followed. */
type Asked = Pick<
  ConnInfoParameters,
  'host' | 'hostaddr' | 'port' | 'service' | 'target_session_attrs' | 'load_balance_hosts'
>

const uri = /^(?!socket:)[a-z][a-z0-9+.-]*:\/\/([^/?#]*)[^?#]*(?:\?([^#]*))?/i

/** pg takes any scheme, libpq only its own two. */
export function withLibpqScheme(text: string): string {
  return isConnInfoUri(text) ? text : text.replace(/^(?!socket:)[a-z][a-z0-9+.-]*:\/\//i, 'postgresql://')
}

/**
 * Looks at a string with pg's eyes, and then with libpq's: a `#` ends the string for pg and is a character like any other
 * for libpq, and what pg would never see must not be dropped where it asks for a leader.
 */
export function readPgString(text: string): PgString {
  if (text.startsWith('/')) return { form: 'pg', host: text.split(' ')[0] ?? '', port: '' }
  const match = uri.exec(text)
  if (match === null) {
    return { form: /^\s*[a-z_]+\s*=/i.test(text) ? 'keyword-value' : 'pg', host: '', port: '' }
  }
  const asked = scan(match)
  const ours = followsSomebody(asked) || followsSomebody(askedOfLibpq(text, match[1] ?? ''))
  return { form: ours ? 'uri' : 'pg', host: asked.host ?? '', port: asked.port ?? '' }
}

/** What pg would see: the credentials end at the *last* `@`, and the authority at `/`, `?` or `#`. */
function scan([, authority = '', search = '']: RegExpExecArray): Asked {
  const [, host = '', port = ''] =
    /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? []
  const query = new Map<string, string>()
  for (const part of search.split('&')) {
    const [name = '', value = ''] = part.split('=', 2)
    query.set(decode(name), decode(value))
  }
  return {
    ...(Object.fromEntries(query) as ConnInfoParameters),
    host: query.get('host') || decode(host.replace(/^\[(.*)\]$/, '$1')),
    // The whole authority counts in `a:1,b:2`, where the pattern above sees the port "1,b:2".
    port: query.get('port') || port,
  }
}

/** What libpq would see; of a string it refuses, what pg would see if a `#` were no end. */
function askedOfLibpq(text: string, authority: string): Asked {
  const parsed = parseParameters(withLibpqScheme(text), () => true)
  if (!parsed.ok) {
    const match = uri.exec(text.replaceAll('#', '%23'))
    return match === null ? {} : scan(match)
  }
  const { host, port, ...rest } = parsed.value.parameters
  // The "hosts" of `u:p@ss,word@h` are the end of a password, which pg reads as it was meant.
  return authority.indexOf('@') === authority.lastIndexOf('@') ? parsed.value.parameters : rest
}

function followsSomebody(asked: Asked): boolean {
  return (
    Boolean(asked.host?.includes(',') || asked.port?.includes(',') || asked.hostaddr || asked.service) ||
    (asked.target_session_attrs ?? 'any') !== 'any' ||
    (asked.load_balance_hosts ?? 'disable') !== 'disable'
  )
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
