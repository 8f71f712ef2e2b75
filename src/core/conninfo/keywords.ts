/** What is known of one keyword: the environment variable libpq reads for it, and whether its value must stay secret. */
interface Keyword {
  readonly variable: string | undefined
  readonly secret: boolean
}

function keyword(variable?: string): Keyword {
  return { variable, secret: false }
}

function secret(variable?: string): Keyword {
  return { variable, secret: true }
}

/** The keywords of libpq 18, in the order of the manual's chapter on parameter key words. */
const keywords = {
  host: keyword('PGHOST'),
  hostaddr: keyword('PGHOSTADDR'),
  port: keyword('PGPORT'),
  dbname: keyword('PGDATABASE'),
  user: keyword('PGUSER'),
  password: secret('PGPASSWORD'),
  passfile: keyword('PGPASSFILE'),
  require_auth: keyword('PGREQUIREAUTH'),
  channel_binding: keyword('PGCHANNELBINDING'),
  connect_timeout: keyword('PGCONNECT_TIMEOUT'),
  client_encoding: keyword('PGCLIENTENCODING'),
  options: keyword('PGOPTIONS'),
  application_name: keyword('PGAPPNAME'),
  fallback_application_name: keyword(),
  keepalives: keyword(),
  keepalives_idle: keyword(),
  keepalives_interval: keyword(),
  keepalives_count: keyword(),
  tcp_user_timeout: keyword(),
  replication: keyword(),
  gssencmode: keyword('PGGSSENCMODE'),
  sslmode: keyword('PGSSLMODE'),
  sslnegotiation: keyword('PGSSLNEGOTIATION'),
  sslcompression: keyword('PGSSLCOMPRESSION'),
  sslcert: keyword('PGSSLCERT'),
  sslkey: keyword('PGSSLKEY'),
  sslkeylogfile: keyword(),
  sslpassword: secret(),
  sslcertmode: keyword('PGSSLCERTMODE'),
  sslrootcert: keyword('PGSSLROOTCERT'),
  sslcrl: keyword('PGSSLCRL'),
  sslcrldir: keyword('PGSSLCRLDIR'),
  sslsni: keyword('PGSSLSNI'),
  requirepeer: keyword('PGREQUIREPEER'),
  ssl_min_protocol_version: keyword('PGSSLMINPROTOCOLVERSION'),
  ssl_max_protocol_version: keyword('PGSSLMAXPROTOCOLVERSION'),
  min_protocol_version: keyword('PGMINPROTOCOLVERSION'),
  max_protocol_version: keyword('PGMAXPROTOCOLVERSION'),
  krbsrvname: keyword('PGKRBSRVNAME'),
  gsslib: keyword('PGGSSLIB'),
  gssdelegation: keyword('PGGSSDELEGATION'),
  scram_client_key: secret(),
  scram_server_key: secret(),
  service: keyword('PGSERVICE'),
  target_session_attrs: keyword('PGTARGETSESSIONATTRS'),
  load_balance_hosts: keyword('PGLOADBALANCEHOSTS'),
  oauth_issuer: keyword(),
  oauth_client_id: keyword(),
  oauth_client_secret: secret(),
  oauth_scope: keyword(),
} as const satisfies Record<string, Keyword>

/** A keyword of libpq 18. */
export type ConnInfoKeyword = keyof typeof keywords

/** Every keyword of libpq 18. */
export const connInfoKeywords = Object.freeze(Object.keys(keywords)) as readonly ConnInfoKeyword[]

/** Values by keyword; only keywords that were given are there. */
export type ConnInfoParameters = Readonly<Partial<Record<ConnInfoKeyword, string>>>

/** Keywords are spelled in lower case and compared exactly, as libpq does. */
export function isConnInfoKeyword(name: string): name is ConnInfoKeyword {
  return Object.hasOwn(keywords, name)
}

/** The environment variable that libpq reads for the keyword, if it reads one. */
export function variableOf(name: ConnInfoKeyword): string | undefined {
  return keywords[name].variable
}

/** Whether the value must never be shown. */
export function isSecret(name: ConnInfoKeyword): boolean {
  return keywords[name].secret
}

/**
 * The keyword that was probably meant, for the text of an error. The unknown word itself is never repeated there: in a
 * malformed string it may be a piece of the password.
 */
export function closestKeyword(name: string): ConnInfoKeyword | undefined {
  if (name.length > 40) return undefined
  const wanted = name.toLowerCase().replaceAll(/[-_]/g, '')
  let best: ConnInfoKeyword | undefined
  let least = 3
  for (const candidate of connInfoKeywords) {
    const distance = editDistance(wanted, candidate.replaceAll('_', ''))
    if (distance < least && distance <= candidate.length / 2) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
