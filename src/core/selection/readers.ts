import { standing } from '../topology/candidates'
import { explain } from '../topology/explain'
import type { HostKey, HostRecord } from '../topology/host'
import { doubtedAt, hostRecord } from '../topology/state'
import type { TopologyState } from '../topology/state'
import { bannedForMillis } from './ban'
import type { Bans } from './ban'
import { lagOf } from './lag'
import type { LagTrack } from './lag'
import { tooSlow } from './latency'
import type { RoundTrips } from './latency'
import { hasTags, preferredTags, printTags } from './tags'
import type { Tags } from './tags'

/** What reads ask of a standby, and what is known of the hosts beside the topology. */
export interface ReadRules {
  /** Infinity: no limit. */
  readonly maxLagMillis: number
  /** Infinity: no limit. */
  readonly maxLagBytes: number
  /** Infinity: however slow. */
  readonly latencyWindowMillis: number
  /** Groups of tags, the first that somebody has wins; if nobody has any of them, all the same. */
  readonly tags: readonly Tags[]
  readonly tagsOf: ReadonlyMap<HostKey, Tags>
  readonly track: LagTrack
  readonly bans: Bans
  readonly roundTrips: RoundTrips
}

/** The standbys that may serve reads. */
export interface EligibleReaders {
  /** In the order of the host list; whether the leader steps in where there is none is not said here. */
  readonly readers: readonly HostKey[]
  /** Of every other host, why not. */
  readonly why: ReadonlyMap<HostKey, string>
  /** When time alone changes this: a ban ends. Until then the same state and rules have the same readers. */
  readonly until: number
}

/** Why a host is not wanted; undefined if it is. */
type Sieve = (host: HostRecord) => string | undefined

/**
 * The standbys that reads may go to: ours, of this history, not too far behind and not banned; of these those with the
 * preferred tags, and of these those that answer soon enough. It needs no leader: while there is none, what is known of the
 * last one holds.
 */
export function eligibleReaders(state: TopologyState, rules: ReadRules, now: number): EligibleReaders {
  const reasons = new Map<HostKey, string>()
  const sift = (hosts: readonly HostRecord[], reasonOf: Sieve): readonly HostRecord[] =>
    hosts.filter((host) => {
      const reason = reasonOf(host)
      if (reason !== undefined) reasons.set(host.key, reason)
      return reason === undefined
    })
  const sieves = [isNoStandby(state), leftHistory(state, rules.track), lags(state, rules), isBanned(rules.bans, now)]
  let left = sieves.reduce(sift, state.hosts)
  left = sift(left, isInDoubt(left))
  left = sift(left, lacksTags(left, rules))
  left = sift(left, isSlow(left, rules))
  return Object.freeze({
    readers: Object.freeze(left.map(({ key }) => key)),
    why: new Map(state.hosts.flatMap(({ key }) => reasonIn(reasons, key))),
    until: Math.min(...[...rules.bans.values()].map(({ until }) => (until > now ? until : Infinity))),
  })
}

function reasonIn(reasons: ReadonlyMap<HostKey, string>, key: HostKey): [HostKey, string][] {
  const reason = reasons.get(key)
  return reason === undefined ? [] : [[key, reason]]
}

function isNoStandby(state: TopologyState): Sieve {
  const reasons = new Map(explain(state, 'standby').map(({ host, reason }) => [host, reason]))
  return (host) => (standing(state, host).type === 'standby' ? undefined : (reasons.get(host.key) ?? 'is a primary'))
}

/**
 * A timeline tells only what a standby receives, not how far it is: one that still follows the old one after a failover may
 * merely not have noticed, and stands where both histories are one. Beyond the place where the new one was first seen it
 * has what the leader never will. Above the leader's there is a newer leader, who is not ours yet.
 */
function leftHistory(state: TopologyState, track: LagTrack): Sieve {
  const { leader, highestTimeline: highest } = state
  const record = leader && hostRecord(state, leader.key)
  const isTracked = highest !== undefined && track.timeline === highest
  const fork = isTracked ? track.beginning?.lsn : leader?.timeline === highest ? record?.answer?.lsn : undefined
  return ({ answer }) => {
    const { timeline, lsn } = answer ?? {}
    if (timeline === undefined) return undefined
    if (leader?.timeline !== undefined && timeline > leader.timeline) {
      return `follows timeline ${timeline}, the leader's is ${leader.timeline}`
    }
    if (highest === undefined || timeline >= highest || fork === undefined || lsn === undefined) return undefined
    return lsn > fork ? `has gone on on timeline ${timeline}, the cluster's is ${highest}` : undefined
  }
}

function lags(state: TopologyState, { track, maxLagMillis, maxLagBytes }: ReadRules): Sieve {
  const limits = [
    ...(maxLagMillis < Infinity ? [`maxLagMillis is ${maxLagMillis}`] : []),
    ...(maxLagBytes < Infinity ? [`maxLagBytes is ${maxLagBytes}`] : []),
  ]
  if (limits.length === 0) return () => undefined
  // While nobody leads nothing is written, and nobody falls further behind.
  const lostAt = state.leader === undefined ? state.leaderlessSince : doubtedAt(state)
  return ({ at, answer }) => {
    const lag = lagOf(track, { at: Math.min(at, lostAt ?? Infinity), lsn: answer?.lsn })
    if (lag === undefined) {
      const unknown =
        answer?.lsn === undefined ? 'its replay position cannot be read' : 'where the leader stands is not known'
      return `is not known to keep up: ${unknown} (${limits.join(', ')})`
    }
    if (lag.millis > maxLagMillis) {
      const long = lag.millis === Infinity ? 'for longer than is known' : `by ${Math.round(lag.millis)} ms`
      return `is behind the leader ${long} (maxLagMillis is ${maxLagMillis})`
    }
    return lag.bytes > maxLagBytes
      ? `is behind the leader by ${lag.bytes} bytes (maxLagBytes is ${maxLagBytes})`
      : undefined
  }
}

function isBanned(bans: Bans, now: number): Sieve {
  return ({ key }) => {
    const millis = Math.ceil(bannedForMillis(bans, key, now))
    return millis > 0 ? `has failed, and is left alone for another ${millis} ms` : undefined
  }
}

/**
 * One lost connection may be no more than a session that somebody ended, and a probe is on its way that will tell. Until
 * then others are taken; where there are none, a doubt alone does not stop reads.
 */
function isInDoubt(hosts: readonly HostRecord[]): Sieve {
  const othersAre = hosts.some(({ suspectedAt }) => suspectedAt === undefined)
  return ({ suspectedAt }) =>
    suspectedAt !== undefined && othersAre ? 'lost a connection and has not answered since' : undefined
}

function lacksTags(hosts: readonly HostRecord[], { tags, tagsOf }: ReadRules): Sieve {
  const preferred = preferredTags(
    hosts.map(({ key }) => key),
    tagsOf,
    tags,
  )
  return ({ key }) =>
    preferred === undefined || hasTags(tagsOf.get(key), preferred)
      ? undefined
      : `does not have the tags that others have: ${printTags(preferred)}`
}

function isSlow(hosts: readonly HostRecord[], { roundTrips, latencyWindowMillis }: ReadRules): Sieve {
  const slow = tooSlow(
    roundTrips,
    hosts.map(({ key }) => key),
    latencyWindowMillis,
  )
  return ({ key }) => slow.get(key)
}
