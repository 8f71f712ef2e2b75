import type { TopologyEvent } from '../core/topology/events'
import { leaderSuspected } from '../core/topology/state'
import type { TopologyState } from '../core/topology/state'
import type { HostKey } from '../core/topology/host'
import type { Authority } from '../discovery/authority'
import { AuthorityProbe } from '../discovery/authority-probe'
import type { AuthorityResult } from '../discovery/authority-probe'
import { Monitor } from '../monitor/monitor'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import { random } from '../runtime/random'

const log = createLog('topology')

/** Between two questions while its word is wanted: every process of an application asks as well. */
const wantedMillis = 250
/** Until it is asked again when it has failed, while its last word holds. */
const retryMillis = 1000

/** The topology whose leader is to be confirmed. */
export interface Consultant {
  state(): TopologyState
  /** While nobody leads and nobody waits: how long may pass between two questions. */
  patience(): number
  dispatch(event: TopologyEvent): void
}

/** What is known of the hosts, and of the patience with them. */
export interface ConsultOptions {
  readonly times: { readonly timeoutMillis: number }
  /** Which host of the list an authority means. */
  readonly findHost?: ((host: string, port: number) => HostKey | undefined) | undefined
}

/** Asks an authority, when a third of its lease is over and whenever its word is wanted, and tells the topology what it says. */
export function consult(authority: Authority, options: ConsultOptions, topology: Consultant): Monitor<AuthorityResult> {
  return new Monitor(
    authority.name,
    new AuthorityProbe(authority),
    {
      intervalMillis: (_name, last) => interval(last, topology),
      report: (name, sentAt, result) => topology.dispatch(eventOf(name, sentAt, result)),
      slow: () => undefined,
    },
    options.times.timeoutMillis,
  )

  function eventOf(name: string, askedAt: number, result: AuthorityResult): TopologyEvent {
    const known = topology.state().authority
    if (!result.ok) {
      if (known?.failure !== result.reason) log('%s cannot be asked: %s', name, result.reason)
      return { type: 'speechless', at: now(), reason: result.reason }
    }
    const { leader } = result
    const named = leader && `${leader.host}:${leader.port}`
    if (known?.word === undefined || known.word.named !== named) log('%s says that %s leads', name, named ?? 'nobody')
    const host = leader && options.findHost?.(leader.host, leader.port)
    return { type: 'spoken', at: now(), verdict: { askedAt, named, host, leaseMillis: leader?.leaseMillis ?? 0 } }
  }
}

function interval(last: AuthorityResult, topology: Consultant): number {
  const state = topology.state()
  const word = state.authority?.word
  const jitter = 0.75 + random() / 4
  if (word === undefined || state.leader === undefined || leaderSuspected(state)) {
    return Math.max(wantedMillis, topology.patience()) * jitter
  }
  return Math.min((word.until - word.at) / 3, last.ok ? Infinity : retryMillis) * jitter
}
