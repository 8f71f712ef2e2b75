import { speechless, spoken } from './authority'
import { elect } from './elect'
import type { TopologyEvent } from './events'
import { acceptsWrites, saysTheSame, sharesHistory, unknownHost } from './host'
import type { Failure, HostKey, HostRecord, Observation } from './host'
import { letGo, relist } from './host-list'
import { forgetHistory } from './state'
import type { TopologyState } from './state'

/**
 * The next state of the topology, from the present one and one event. Pure: time comes with the event, and an event
 * from the past (older than what is known of that host) changes nothing.
 */
export function reduceTopology(given: TopologyState, event: TopologyEvent): TopologyState {
  const freed = letGo(given)
  const state = freed === given ? given : elect(freed, event.at)
  switch (event.type) {
    case 'observed':
      return change(state, event, (host) => observed(host, event.at, event.answer))
    case 'failed':
      return change(state, event, (host) => failed(host, event.at, event.failure))
    case 'full':
      return change(state, event, (host) => full(host, event.at, event.failure))
    case 'suspected':
      return suspect(state, event.host, event.at)
    case 'tick':
      return elect(state, event.at)
    case 'hosts':
      return elect(relist(state, event.keys), event.at)
    case 'reset':
      return elect(forgetHistory(state), event.at)
    case 'spoken': {
      const next = spoken(state, event.verdict)
      return next === state ? state : elect(next, event.at)
    }
    case 'speechless': {
      const next = speechless(state, event.reason)
      return next === state ? state : elect(next, event.at)
    }
    case 'stalled':
      return elect({ ...state, stalledUntil: event.until }, event.at)
    default:
      return event satisfies never
  }
}

function change(
  state: TopologyState,
  event: { readonly host: HostKey; readonly at: number },
  next: (host: HostRecord) => HostRecord,
): TopologyState {
  const known = state.hosts.find((host) => host.key === event.host)
  if (known === undefined || event.at < known.at || event.at < (known.suspectedAt ?? -Infinity)) return state
  return elect({ ...state, hosts: replace(state.hosts, next(known)) }, event.at)
}

function observed(host: HostRecord, at: number, answer: Observation): HostRecord {
  const repeated = acceptsWrites(host.answer) && host.answer.timeline === answer.timeline
  const confirmations = acceptsWrites(answer) ? (repeated ? host.confirmations + 1 : 1) : 0
  const sightings = sharesHistory(host.answer, answer) ? host.sightings + 1 : 1
  const since = saysTheSame(host.answer, answer) ? host.since : at
  const { key } = host
  return Object.freeze({
    key,
    at,
    answer,
    failure: undefined,
    suspectedAt: undefined,
    confirmations,
    sightings,
    since,
  })
}

function failed(host: HostRecord, at: number, failure: Failure): HostRecord {
  // The suspicion stays on the record although it is settled: a leader that is lost now was lost then.
  const { key, suspectedAt } = host
  return Object.freeze({ ...unknownHost(key), at, failure, suspectedAt })
}

/** What it was before is not confirmed by that, and not refuted. */
function full(host: HostRecord, at: number, failure: Failure): HostRecord {
  if (host.answer === undefined) return failed(host, at, failure)
  return Object.freeze({ ...host, at, suspectedAt: undefined })
}

/** Doubt alone elects nobody: whoever leads goes on leading, but is not used until a probe has cleared it. */
function suspect(state: TopologyState, key: HostKey, at: number): TopologyState {
  const known = state.hosts.find((host) => host.key === key)
  if (known === undefined || known.answer === undefined || at <= known.at || known.suspectedAt !== undefined)
    return state
  return Object.freeze({ ...state, hosts: replace(state.hosts, Object.freeze({ ...known, suspectedAt: at })) })
}

function replace(hosts: readonly HostRecord[], changed: HostRecord): readonly HostRecord[] {
  return Object.freeze(hosts.map((host) => (host.key === changed.key ? changed : host)))
}
