import { connInfoKeywords } from '../../core/conninfo/keywords'
import type { ConnInfoKeyword, ConnInfoParameters } from '../../core/conninfo/keywords'
import { sourceOf } from '../../core/conninfo/resolve-conn-info'
import type { ConnInfoSources } from '../../core/conninfo/resolve-conn-info'
import { targetSessionAttrs } from '../../core/selection/target-session-attrs'
import { ConnInfoError } from '../../errors'

interface Rule {
  readonly keyword: ConnInfoKeyword
  /** The values that ask for what pg cannot do. */
  readonly asks: (value: string) => boolean
  readonly remedy: string
}

/** The values libpq knows, where it knows a fixed set; `no-verify` is pg's own. */
const values: Readonly<Partial<Record<ConnInfoKeyword, readonly string[]>>> = {
  channel_binding: ['disable', 'prefer', 'require'],
  gssencmode: ['disable', 'prefer', 'require'],
  load_balance_hosts: ['disable', 'random'],
  max_protocol_version: ['3.0', '3.2', 'latest'],
  min_protocol_version: ['3.0', '3.2', 'latest'],
  sslcertmode: ['disable', 'allow', 'require'],
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  sslnegotiation: ['postgres', 'direct'],
  target_session_attrs: targetSessionAttrs,
}

const anything = (): boolean => true

/** A demand that would silently not be met: refused. */
const refused: readonly Rule[] = [
  {
    keyword: 'require_auth',
    asks: anything,
    remedy: 'pg accepts whatever method the server asks for; remove it and demand the method in pg_hba.conf',
  },
  {
    keyword: 'gssencmode',
    asks: (value) => value === 'require',
    remedy: 'pg cannot encrypt by GSSAPI; use TLS (sslmode) or gssencmode=disable',
  },
  {
    keyword: 'sslcertmode',
    asks: (value) => value === 'require',
    remedy: 'pg cannot tell whether the server asked for the certificate; demand it in pg_hba.conf (clientcert)',
  },
  {
    keyword: 'sslcrldir',
    asks: anything,
    remedy: 'Node.js reads revocation lists from one file; join the lists and give sslcrl',
  },
  {
    keyword: 'min_protocol_version',
    asks: (value) => value !== '3.0',
    remedy: 'pg speaks protocol 3.0; remove it',
  },
]

/** Things that pg lacks without harm: noted once, then ignored. */
const ignored: readonly ConnInfoKeyword[] = [
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
  'sslsni',
  'sslkeylogfile',
  'max_protocol_version',
  'krbsrvname',
  'gsslib',
  'gssdelegation',
  'scram_client_key',
  'scram_server_key',
  'oauth_issuer',
  'oauth_client_id',
  'oauth_client_secret',
  'oauth_scope',
]

/**
 * @throws {@link ConnInfoError} where a keyword demands what pg cannot do and ignoring it would be less safe than asked.
 * @returns the keywords that are ignored.
 */
export function checkSupported(parameters: ConnInfoParameters, sources: ConnInfoSources): readonly ConnInfoKeyword[] {
  for (const keyword of connInfoKeywords) {
    const value = parameters[keyword]
    if (value !== undefined) checkValue(keyword, value, `${keyword} (from the ${sourceOf(keyword, sources)})`)
  }
  for (const { keyword, asks, remedy } of refused) {
    const value = parameters[keyword]
    if (value && asks(value)) {
      throw new ConnInfoError(`${keyword} (from the ${sourceOf(keyword, sources)}) cannot be honoured: ${remedy}`)
    }
  }
  const prefersGss = parameters.gssencmode === 'prefer' ? (['gssencmode'] as const) : []
  return [...ignored.filter((keyword) => parameters[keyword]), ...prefersGss]
}

/**
 * @param name - what the user knows the keyword by.
 * @throws {@link ConnInfoError} where libpq knows a fixed set of values and this is none of them.
 */
export function checkValue(keyword: ConnInfoKeyword, value: string, name: string): void {
  const known = values[keyword]
  if (known === undefined || known.includes(value)) return
  throw new ConnInfoError(`${name}: ${shown(value)} is not known; use one of ${known.join(', ')}`)
}

/** A value of a fixed set is a short word; anything else may be a piece of something else and is not repeated. */
function shown(value: string): string {
  return /^[a-z-]{1,24}$/i.test(value) ? JSON.stringify(value) : 'the value'
}
