import type { TopologyEvent } from '../../../src/core/topology/events'
import { acceptsWrites } from '../../../src/core/topology/host'
import type { HostKey, Observation } from '../../../src/core/topology/host'
import type { TopologyState } from '../../../src/core/topology/state'

/** What one host is known to be, kept apart from the reducer's own records. */
export interface Entry {
  at: number
  answer: Observation | undefined
  spoke: boolean
  doubtedAt: number | undefined
  /** How many answers in a row accepted writes on this timeline. */
  looks: number
  /** How many answers in a row showed this timeline, in whatever role. */
  sights: number
  /** When the first of the answers in a row was asked for that said what it says now. */
  since: number
}

/**
 * A second, naive book of what is to be believed, against which the reducer is judged: who answered what last, which
 * identity is ours, which timeline the highest that led, and whether the rules may be lifted by now.
 */
export class Ledger {
  readonly entries: ReadonlyMap<HostKey, Entry>
  /** Our cluster's identity, from the first leader on. */
  identity: string | undefined
  /** The highest timeline on which one of ours has led. */
  highest = -Infinity
  readonly #lockoutMillis: number
  /** What the authority said last, by when it was asked. */
  word: { readonly at: number; readonly host: HostKey | undefined; readonly until: number } | undefined
  /** Hosts that claimed the lead beside the leader of their timeline, while that was alive. */
  readonly rivals = new Set<HostKey>()
  #lockedSince: number | undefined
  #listed: ReadonlySet<HostKey>
  #leader: HostKey | undefined
  /** The leader, while it is not on the list. */
  #delisted: HostKey | undefined
  /** A host has left that may be on the highest timeline there was then. */
  #unseen = -Infinity

  /** `lockoutMillis`: how long another history must be all there is. */
  constructor(keys: readonly HostKey[], lockoutMillis: number) {
    this.#lockoutMillis = lockoutMillis
    this.entries = new Map(keys.map((key) => [key, { ...blank }]))
    this.#listed = new Set(keys)
  }

  entry(key: HostKey): Entry {
    const entry = this.entries.get(key)
    if (entry === undefined) throw new Error(`${key} is not on the list`)
    return entry
  }

  /** The highest timeline that one of ours was seen on twice, in whatever role. */
  get confirmed(): number {
    const seen = [...this.entries.values()].flatMap(({ answer, sights }) =>
      sights >= 2 && answer?.systemIdentifier === this.identity && answer?.timeline !== undefined
        ? [answer.timeline]
        : [],
    )
    return Math.max(-Infinity, ...seen)
  }

  /** Enters what happened; to be judged is what the reducer made of it. */
  note(event: TopologyEvent): void {
    if (this.#delisted !== undefined && this.#delisted !== this.#leader) this.#dismiss([this.#delisted])
    if (event.type === 'hosts') return this.#relist(event.keys)
    if ('host' in event && !this.isListed(event.host)) return
    if (event.type === 'observed' || event.type === 'failed') {
      const entry = this.entry(event.host)
      if (event.at < entry.at || event.at < (entry.doubtedAt ?? -Infinity)) return
      const answer = event.type === 'observed' ? event.answer : undefined
      const again = acceptsWrites(entry.answer) && entry.answer.timeline === answer?.timeline
      const looks = acceptsWrites(answer) ? (again ? entry.looks + 1 : 1) : 0
      const sights = answer === undefined ? 0 : entry.answer?.timeline === answer.timeline ? entry.sights + 1 : 1
      const since = claim(entry.answer) === claim(answer) ? entry.since : event.at
      // A doubt that turned out to be right stays: it dates the loss, and news from before it is no news.
      const doubtedAt = answer === undefined ? entry.doubtedAt : undefined
      if (answer !== undefined && (answer.inRecovery || answer.timeline !== this.highest))
        this.rivals.delete(event.host)
      Object.assign(entry, { at: event.at, answer, spoke: true, doubtedAt, looks, sights, since })
    } else if (event.type === 'full') {
      const entry = this.entry(event.host)
      if (event.at < entry.at || event.at < (entry.doubtedAt ?? -Infinity)) return
      Object.assign(entry, { at: event.at, spoke: true })
      // It lives, and is as far as is known what it was.
      if (entry.answer !== undefined) entry.doubtedAt = undefined
    } else if (event.type === 'suspected') {
      const entry = this.entry(event.host)
      if (entry.answer !== undefined && entry.doubtedAt === undefined && event.at > entry.at) entry.doubtedAt = event.at
    } else if (event.type === 'spoken') {
      const { askedAt: at, host, leaseMillis } = event.verdict
      if (at >= (this.word?.at ?? -Infinity)) this.word = { at, host, until: at + leaseMillis }
    } else if (event.type === 'reset') this.#forget('all')
  }

  /** Whether anything is believed of a host. */
  isListed(key: HostKey): boolean {
    return this.#listed.has(key) || key === this.#delisted
  }

  #relist(keys: readonly HostKey[]): void {
    const known = new Set([...this.entries.keys()].filter((key) => this.isListed(key)))
    this.#listed = new Set(keys)
    this.#delisted = this.#leader === undefined || keys.includes(this.#leader) ? undefined : this.#leader
    this.#dismiss([...known].filter((key) => !this.isListed(key)))
  }

  /** They leave: what was believed of them is forgotten, and not that one of them may be ahead. */
  #dismiss(keys: readonly HostKey[]): void {
    if (keys.some((key) => key === this.#delisted)) this.#delisted = undefined
    for (const key of keys) {
      const { answer } = this.entry(key)
      if (answer === undefined || (answer.timeline ?? -Infinity) >= this.highest) this.#unseen = this.highest
      Object.assign(this.entry(key), blank)
    }
  }

  /** After the event was noted and before its leader is: lifts the rules if they have kept everybody out long enough. `led`: somebody leads. */
  mindLockout(event: TopologyEvent, led: boolean): void {
    const answers = [...this.entries.values()].flatMap(({ answer }) => (answer ? [answer] : []))
    const identities = new Set(answers.map(({ systemIdentifier }) => systemIdentifier))
    const foreign = answers.length > 0 && identities.size === 1 && !identities.has(this.identity)
    const ours = answers.filter(({ systemIdentifier }) => systemIdentifier === this.identity)
    const stale =
      answers.length === [...this.entries.keys()].filter((key) => this.isListed(key)).length &&
      this.#unseen < this.highest &&
      ours.some(({ inRecovery }) => !inRecovery) &&
      ours.every(({ timeline }) => timeline === undefined || timeline < this.highest)
    const rival =
      !led &&
      [...this.rivals].some((key) => {
        const { answer } = this.entry(key)
        return acceptsWrites(answer) && answer.timeline === this.highest
      })
    if (this.identity === undefined || !(foreign || stale || rival)) {
      this.#lockedSince = undefined
      return
    }
    this.#lockedSince ??= event.at
    if (event.at - this.#lockedSince < this.#lockoutMillis) return
    if (rival) this.rivals.clear()
    else this.#forget(foreign ? 'all' : 'timeline')
  }

  /** Enters who leads: the first settles the identity. */
  noteLeader({ leader }: TopologyState): void {
    this.#leader = leader?.key
    const answer = leader && this.entry(leader.key).answer
    if (leader === undefined || answer === undefined) return
    this.identity ??= answer.systemIdentifier
    this.highest = Math.max(this.highest, answer.timeline ?? -Infinity)
    const { at } = this.entry(leader.key)
    for (const [key, theirs] of this.entries) {
      const isTwin = theirs.answer?.timeline === answer.timeline && theirs.answer?.systemIdentifier === this.identity
      if (key !== leader.key && isTwin && acceptsWrites(theirs.answer) && theirs.since < at) this.rivals.add(key)
    }
    this.rivals.delete(leader.key)
  }

  #forget(what: 'all' | 'timeline'): void {
    if (what === 'all') this.identity = undefined
    this.rivals.clear()
    this.highest = -Infinity
    this.#unseen = -Infinity
    this.#lockedSince = undefined
  }
}

const blank: Entry = Object.freeze({
  at: -Infinity,
  answer: undefined,
  spoke: false,
  doubtedAt: undefined,
  looks: 0,
  sights: 0,
  since: -Infinity,
})

function claim(answer: Observation | undefined): string | undefined {
  if (answer === undefined) return undefined
  const { inRecovery, defaultTransactionReadOnly, systemIdentifier, timeline } = answer
  return [inRecovery, defaultTransactionReadOnly, systemIdentifier, timeline].join()
}
