import type { HostKey, HostRecord } from './host'
import type { AuthorityState, TopologyState } from './state'

/** What an authority said when it was asked, at `askedAt`; `named` is its own name for the leader, undefined if it says that nobody leads. */
export interface Verdict {
  readonly askedAt: number
  readonly named: string | undefined
  /** The host of the list that this is, if it is one. */
  readonly host: HostKey | undefined
  /** How long its word holds, counted from when it was asked. */
  readonly leaseMillis: number
}

/** The authority has answered. An answer to an older question than the last changes nothing. */
export function spoken(state: TopologyState, verdict: Verdict): TopologyState {
  const { authority } = state
  const { named, host, askedAt: at } = verdict
  if (authority === undefined || at < (authority.word?.at ?? -Infinity)) return state
  // That nobody leads is true until it says something else.
  const until = named === undefined ? Infinity : at + verdict.leaseMillis
  const word = Object.freeze({ named, host, at, until })
  return withAuthority(state, { ...authority, word, lapsedAt: undefined, failure: undefined })
}

/** The authority could not be asked. What it said last holds until its time is over. */
export function speechless(state: TopologyState, failure: string): TopologyState {
  const { authority } = state
  return authority === undefined || authority.failure === failure
    ? state
    : withAuthority(state, { ...authority, failure })
}

/** The only host that may lead; undefined if there is none, or where no authority is asked. */
export function confirmedHost({ authority }: TopologyState): HostKey | undefined {
  return authority?.lapsedAt === undefined ? authority?.word?.host : undefined
}

/** A lease that was once seen to have run out is over, whatever event from before then comes later. */
export function mindLease(state: TopologyState, at: number): TopologyState {
  const { authority } = state
  if (authority?.word === undefined || authority.lapsedAt !== undefined || at < authority.word.until) return state
  return withAuthority(state, { ...authority, lapsedAt: authority.word.until })
}

/** The authority has been asked since this host says what it says, and named another one. */
export function isOverruled({ authority }: TopologyState, host: HostRecord): boolean {
  const word = authority?.word
  return word !== undefined && word.host !== host.key && host.since < word.at
}

/** Why the authority stands against this host; undefined if it does not, or there is none. */
export function objection(state: TopologyState, key: HostKey): string | undefined {
  const { authority } = state
  if (authority === undefined || confirmedHost(state) === key) return undefined
  const { name, word, lapsedAt, failure } = authority
  if (failure !== undefined && (word === undefined || lapsedAt !== undefined)) {
    return `is a primary that ${name} does not confirm as the leader: ${failure}`
  }
  if (word === undefined) return `is a primary that ${name} has not confirmed as the leader yet`
  if (lapsedAt !== undefined) return `is a primary that ${name} has not confirmed as the leader since its lease ran out`
  if (word.named === undefined) return `is a primary, but ${name} says that nobody leads`
  const stranger = word.host === undefined ? ', which is not on the list of hosts' : ''
  return `is a primary, but ${name} says that ${word.named} leads${stranger}`
}

function withAuthority(state: TopologyState, authority: AuthorityState): TopologyState {
  return { ...state, authority: Object.freeze(authority) }
}
