import { connInfoKeywords, isConnInfoKeyword, isSecret } from './keywords'
import { isConnInfoUri } from './uri'

const mask = '***'
const secrets = connInfoKeywords.filter(isSecret).join('|')
const pair = new RegExp(
  // The name, then everything up to the next known keyword: an unquoted password with spaces in it must go as a whole.
  `((?:^|[^a-z_])(?:${secrets})\\s*=\\s*)('(?:\\\\.|[^'\\\\])*(?:'|$)|[\\s\\S]*?(?=\\s+(?:${connInfoKeywords.join('|')})\\s*=|$))`,
  'gis',
)

/**
 * Masks the passwords of a connection string, for logs and errors. Works on malformed strings as well, where it rather
 * masks too much than too little.
 */
export function redactConnInfo(text: string): string {
  return isConnInfoUri(text) || /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? redactUri(text)
    : text.replaceAll(pair, `$1${mask}`)
}

function redactUri(text: string): string {
  const start = text.indexOf('://') + 3
  const body = text.slice(start)
  const end = endOfCredentials(body)
  const colon = body.slice(0, end).indexOf(':')
  const credentials = colon === -1 ? body.slice(0, end) : body.slice(0, colon + 1) + mask
  return text.slice(0, start) + credentials + redactQuery(body.slice(end))
}

/** Where the `@` after the credentials stands: the last one that any reader could take for it, 0 if there is none. */
function endOfCredentials(body: string): number {
  const query = body.indexOf('?')
  const beforeQuery = query === -1 ? body : body.slice(0, query)
  const end = beforeQuery.lastIndexOf('@')
  if (end !== -1) return end
  // A bare "?" in the password: whatever precedes an "@" that no parameter introduces.
  const late = body.lastIndexOf('@')
  const plain = late === -1 || /\?[^@]*=[^@]*$/.test(body.slice(0, late))
  return plain ? 0 : late
}

function redactQuery(rest: string): string {
  return rest.replaceAll(/([?&])([^=&?]*)=([^&]*)/g, (all: string, before: string, name: string) => {
    const keyword = decode(name).trim().toLowerCase()
    // What libpq does not know may be a misspelt password, or a piece of one.
    return isConnInfoKeyword(keyword) && !isSecret(keyword) ? all : `${before}${name}=${mask}`
  })
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
