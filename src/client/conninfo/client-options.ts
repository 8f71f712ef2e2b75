import type { ClientConfig } from 'pg'

import type { ConnInfoKeyword, ConnInfoParameters } from '../../core/conninfo/keywords'
import { ConnInfoError } from '../../errors'
import { pgOnlyKeywords } from './connection-string'
import { setCredentials, setEmptyValues } from './credentials'
import type { ResolvedHost } from './follow-options'
import { notForPg } from './given-options'
import { integerOf } from './integer'
import type { Resolved } from './resolved'
import { effectiveSsl, sslFor } from './tls'

/** libpq's keywords that are pg's options under the same name. */
const sameName = [
  'application_name',
  'fallback_application_name',
  'options',
  'client_encoding',
  'replication',
  'sslnegotiation',
] as const satisfies readonly ConnInfoKeyword[]

/** Builds pg's configuration for one host: the user's own options, with everything that names hosts made singular. */
export function buildClientOptions(host: ResolvedHost, resolved: Resolved): ClientConfig {
  const { given, parameters, extra } = resolved
  const config: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) if (!notForPg.has(name)) config[name] = value
  for (const keyword of sameName) if (parameters[keyword]) config[keyword] = parameters[keyword]
  for (const keyword of pgOnlyKeywords) if (extra[keyword]) config[keyword] = extra[keyword]
  setEmptyValues(config, resolved)
  Object.assign(config, { host: host.hostaddr ?? host.host, port: host.port })
  setKeepAlive(config, parameters)
  setCredentials(config, host, resolved)
  setTls(config, host, resolved)
  return config
}

/** libpq's default is to keep alive and pg's is not to: without a keyword pg's holds. The option wins over the keyword. */
function setKeepAlive(config: Record<string, unknown>, parameters: ConnInfoParameters): void {
  const wanted = integerOf('keepalives', parameters.keepalives)
  const idle = integerOf('keepalives_idle', parameters.keepalives_idle)
  if (wanted !== undefined || idle !== undefined) config['keepAlive'] ??= wanted !== 0
  if (idle !== undefined && idle > 0) config['keepAliveInitialDelayMillis'] ??= idle * 1000
}

function setTls(config: Record<string, unknown>, host: ResolvedHost, resolved: Resolved): void {
  const { parameters } = resolved
  const own = resolved.settings.get(host.key)?.ssl
  const tls = own === undefined ? resolved.tls : { connectionString: undefined, ssl: own }
  const ssl = sslFor(host, tls, parameters)
  if (ssl === undefined) delete config['ssl']
  else config['ssl'] = ssl
  const socket = host.host.startsWith('/') && host.hostaddr === undefined
  if (socket) {
    // pg refuses "direct" without TLS, and on a socket there is none.
    config['sslnegotiation'] = 'postgres'
    if (parameters.requirepeer) {
      throw new ConnInfoError('requirepeer: pg cannot tell who owns the other end of a socket; remove it')
    }
  }
  if (config['sslnegotiation'] === 'direct' && !effectiveSsl(host, tls, parameters)) {
    // A pg that does not know the word would connect in plain text, and one that does would say so late.
    throw new ConnInfoError(`sslnegotiation=direct needs TLS, which is off for ${host.key}; give sslmode=verify-full`)
  }
  if (parameters.channel_binding === 'require') {
    demandChannelBinding(host, effectiveSsl(host, tls, parameters))
    config['enableChannelBinding'] = true
  } else if (parameters.channel_binding === 'prefer') config['enableChannelBinding'] ??= true
}

/**
 * pg binds the channel where the server offers it, but goes on where the server does not. A verified certificate keeps a
 * man in the middle out all the same; without one, that silent step back would be all the protection there was.
 */
function demandChannelBinding(host: ResolvedHost, ssl: unknown): void {
  const verified =
    ssl === true ||
    (typeof ssl === 'object' && ssl !== null && !('rejectUnauthorized' in ssl && !ssl.rejectUnauthorized))
  if (verified) return
  throw new ConnInfoError(
    `channel_binding=require cannot be honoured for ${host.key}: the connection would ${ssl ? 'not verify the certificate' : 'not use TLS'}; ` +
      'use sslmode=verify-full, or channel_binding=prefer',
  )
}
