import { parseLsn } from '../../../../src/core/outcome/lsn'
import type { TopologyEffect } from '../../../../src/core/topology/effects'
import type { TopologyEvent } from '../../../../src/core/topology/events'
import type { HostKey, Observation } from '../../../../src/core/topology/host'

/**
 * One event as a fixture writes it: `TIME HOST primary|fenced|standby [IDENTITY/TIMELINE/START [LSN]]` for an answer (`-`
 * for a column that cannot be read, or a position left out), `TIME HOST failed|refused|full REASON…`, `TIME HOST suspected`, `TIME tick`, `TIME reset`,
 * `TIME hosts a,b`; `TIME authority HOST LEASE [ASKED]` for its word (`nobody`, or a name that is not on the list, for HOST),
 * `TIME authority failed REASON…`; `TIME stalled UNTIL`.
 */
export function parseEvent(line: string, hosts: readonly HostKey[]): TopologyEvent {
  const [time = '', subject = '', what = '', ...rest] = line.split(' ')
  const at = Number(time)
  if (subject === 'tick' || subject === 'reset') return { type: subject, at }
  if (subject === 'hosts') return { type: 'hosts', at, keys: what.split(',') }
  if (subject === 'stalled') return { type: 'stalled', at, until: Number(what) }
  if (subject === 'authority') {
    if (what === 'failed') return { type: 'speechless', at, reason: rest.join(' ') }
    const named = what === 'nobody' ? undefined : what
    const host = hosts.find((key) => key === named)
    const [lease = 0, askedAt = at] = rest
    return { type: 'spoken', at, verdict: { askedAt: Number(askedAt), named, host, leaseMillis: Number(lease) } }
  }
  switch (what) {
    case 'suspected':
      return { type: 'suspected', at, host: subject }
    case 'failed':
    case 'full':
    case 'refused': {
      const reason = rest.join(' ')
      return {
        type: what === 'full' ? 'full' : 'failed',
        at,
        host: subject,
        failure: { reason, aboutCaller: what === 'refused', error: new Error(reason) },
      }
    }
    case 'primary':
    case 'fenced':
    case 'standby':
      return { type: 'observed', at, host: subject, answer: parseAnswer(what, ...rest) }
    default:
      throw new Error(`no such event: ${line}`)
  }
}

/** What a server of this role answers. `default_transaction_read_only` is off on a hot standby, on while fenced. */
function parseAnswer(role: 'primary' | 'fenced' | 'standby', columns = 'X/1/s1', lsn?: string): Observation {
  const [identity, timeline, start] = columns.split('/').map((column) => (column === '-' ? undefined : column))
  return Object.freeze({
    inRecovery: role === 'standby',
    defaultTransactionReadOnly: role === 'fenced',
    systemIdentifier: identity,
    timeline: timeline === undefined ? undefined : Number(timeline),
    postmasterStartTime: start,
    lsn: parseLsn(lsn),
    roundTripMillis: 1,
  })
}

/** One effect as a fixture writes it. */
export function printEffect(effect: TopologyEffect): string {
  switch (effect.type) {
    case 'leader-lost':
      return `leader-lost ${effect.leader.key} since ${effect.at}${effect.suspected ? ', in doubt' : ''}`
    case 'leader-ready':
      return `leader-ready ${effect.leader.key}${effect.from ? ` after ${effect.from.key}` : ''}${effect.changed ? ', new' : ', as before'}`
    case 'retire':
    case 'cut':
    case 'ask':
    case 'caller-fault':
    case 'joined':
    case 'left':
      return `${effect.type} ${effect.host}`
    case 'split-brain':
      return `split-brain ${effect.hosts.join(',')}`
    case 'history-replaced':
      return `history-replaced ${effect.identity ?? '-'}/${effect.timeline ?? '-'}`
    case 'ask-authority':
    case 'publish':
      return effect.type
    default:
      return effect satisfies never
  }
}
