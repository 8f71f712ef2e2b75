import type { ConnInfoKeyword } from './keywords'
import { ParameterSink } from './parameter-sink'
import type { Keeps, ParsedParameters } from './parameter-sink'
import { decodePercent } from './percent'
import { failure, success } from './result'
import type { Result } from './result'

const prefix = /^(?:postgresql|postgres):\/\//

/** libpq takes a string for a URI by its first characters alone; upper case does not count. */
export function isConnInfoUri(text: string): boolean {
  return prefix.test(text)
}

/**
 * Reads a connection URI as libpq does, which is not as WHATWG or RFC 3986 would: the user part ends at the *first* `@`
 * before any `/`, the list of hosts is split before it is decoded, and `+` in the query is a plus.
 */
export function parseUri(text: string, keeps: Keeps): Result<ParsedParameters> {
  const sink = new ParameterSink(keeps)
  const start = prefix.exec(text)?.[0].length ?? 0
  const credentials = /^[^@/]*@/.exec(text.slice(start))?.[0]
  if (credentials !== undefined) {
    const stored = storeCredentials(sink, credentials.slice(0, -1))
    if (!stored.ok) return stored
  }
  const netloc = readNetloc(text, start + (credentials?.length ?? 0))
  if (!netloc.ok) return netloc
  const { hosts, ports, end } = netloc.value
  let query = end
  if (text[end] === '/') {
    query = text.indexOf('?', end)
    if (query === -1) query = text.length
  }
  const parts: readonly (readonly [ConnInfoKeyword, string])[] = [
    ['host', hosts],
    ['port', ports],
    ['dbname', text.slice(end + 1, query)],
  ]
  for (const [keyword, part] of parts) {
    const stored = storePart(sink, keyword, part)
    if (!stored.ok) return stored
  }
  if (query < text.length) {
    const stored = storeQuery(sink, text, query + 1, keeps)
    if (!stored.ok) return stored
  }
  return success(sink.take())
}

function storeCredentials(sink: ParameterSink, credentials: string): Result<undefined> {
  const colon = credentials.indexOf(':')
  const user = storePart(sink, 'user', colon === -1 ? credentials : credentials.slice(0, colon))
  if (!user.ok || colon === -1) return user
  return storePart(sink, 'password', credentials.slice(colon + 1))
}

/** An empty part counts as not given; one that is empty only after decoding counts as given. */
function storePart(sink: ParameterSink, keyword: ConnInfoKeyword, part: string): Result<undefined> {
  if (part === '') return success(undefined)
  const decoded = decodePercent(part, keyword)
  return decoded.ok ? sink.store(keyword, decoded.value, `${keyword} in the URI`) : decoded
}

interface Netloc {
  /** Both lists still percent-coded and joined by commas. */
  readonly hosts: string
  readonly ports: string
  readonly end: number
}

function readNetloc(text: string, from: number): Result<Netloc> {
  let [hosts, ports, at] = ['', '', from]
  for (;;) {
    if (text[at] === '[') {
      const close = text.indexOf(']', at)
      if (close === -1) return failure('syntax', `host: the "[" at position ${String(at + 1)} has no matching "]"`)
      if (close === at + 1) return failure('syntax', `host: the brackets at position ${String(at + 1)} are empty`)
      hosts += text.slice(at + 1, close)
      at = close + 1
      if (at < text.length && !':/?,'.includes(text.charAt(at))) {
        return failure('syntax', `host: ":", "/", "?" or "," must follow the "]" before position ${String(at + 1)}`)
      }
    } else {
      const end = scan(text, at, ':/?,')
      hosts += text.slice(at, end)
      at = end
    }
    if (text[at] === ':') {
      const end = scan(text, at, '/?,')
      ports += text.slice(at + 1, end)
      at = end
    }
    if (text[at] !== ',') return success({ hosts, ports, end: at })
    hosts += ','
    ports += ','
    at += 1
  }
}

function scan(text: string, from: number, stops: string): number {
  let at = from
  while (at < text.length && !stops.includes(text.charAt(at))) at += 1
  return at
}

function storeQuery(sink: ParameterSink, text: string, from: number, keeps: Keeps): Result<undefined> {
  // A final "&" ends the last parameter instead of beginning an empty one.
  const query = text.slice(from).replace(/&$/, '')
  if (query === '' && from >= text.length) return success(undefined)
  let position = from + 1
  for (const pair of query.split('&')) {
    const where = `at position ${String(position)}`
    position += pair.length + 1
    const [name = '', value, ...rest] = pair.split('=')
    if (rest.length > 0) {
      return failure('syntax', `the query parameter ${where} has a second "=" (write %3D for "=" in a value)`)
    }
    if (value === undefined) return failure('syntax', `the query parameter ${where} has no "="`)
    const keyword = decodePercent(name, `the name of the query parameter ${where}`)
    if (!keyword.ok) return keyword
    const decoded = decodePercent(value, `the value of the query parameter ${where}`)
    if (!decoded.ok) return decoded
    // JDBC's spelling. Where `ssl` is kept it is pg's own option and keeps pg's meaning.
    const jdbc = !keeps('ssl') && keyword.value === 'ssl' && decoded.value === 'true'
    const stored = jdbc ? sink.store('sslmode', 'require', where) : sink.store(keyword.value, decoded.value, where)
    if (!stored.ok) return stored
  }
  return success(undefined)
}
