/** Where the leader stood when it was asked. */
export interface LeaderSample {
  /** When the question was sent. */
  readonly at: number
  /** `pg_current_wal_lsn()`. */
  readonly lsn: bigint
}

/** Where the leader stood and when, for as long as limits may reach back. Immutable. */
export interface LagTrack {
  /** The oldest first; neither times nor positions go back from one to the next. */
  readonly samples: readonly LeaderSample[]
  readonly timeline: number | undefined
  /** The first sample of this timeline: history forked off there, or before. Undefined before the first sample of all. */
  readonly beginning: LeaderSample | undefined
}

/** How far a standby is behind. */
export interface Lag {
  /** WAL that the leader had when it was last asked and that this standby has not replayed. */
  readonly bytes: number
  /** How long ago the leader stood where this standby stands. Infinity: longer ago than is known. */
  readonly millis: number
}

/** How far back a track reaches: what is further behind is behind for longer than is known. */
export const longestLagMillis = 3_600_000

/** Samples that lie nearer together than this tell nothing more. */
const finestMillis = 250

/** Of what is long ago they may lie further apart: by this part of its age. */
const coarseness = 0.15

/** Nothing is known of a leader. Where another cluster has become ours, its track begins here as well. */
export const noTrack: LagTrack = Object.freeze({
  samples: Object.freeze([]),
  timeline: undefined,
  beginning: undefined,
})

/**
 * The leader has answered a question that was sent at `at`. An answer to an older question changes nothing.
 *
 * After a failover the positions that the new leader shares with the old one were still reached when they were reached:
 * those samples stay, and a standby that had replayed them does not count as unknown. A lower position cuts off what only
 * the old leader had. Nothing is kept before a lower timeline: that is no failover, but another history.
 *
 * @param timeline - the leader's, where it can be read.
 */
export function noteLeader(track: LagTrack, at: number, lsn: bigint, timeline?: number): LagTrack {
  const last = track.samples.at(-1)
  if (last !== undefined && at <= last.at) return track
  const isReplaced = timeline !== undefined && track.timeline !== undefined && timeline < track.timeline
  const isLower = last !== undefined && lsn < last.lsn
  const isOther = isReplaced || isLower || (timeline !== undefined && timeline !== track.timeline)
  const sample = Object.freeze({ at, lsn })
  const before = isReplaced ? [] : isLower ? cutOff(track.samples, lsn) : track.samples
  return Object.freeze({
    samples: Object.freeze(thin([...before, sample])),
    timeline: timeline ?? (isLower ? undefined : track.timeline),
    beginning: isOther ? sample : (track.beginning ?? sample),
  })
}

/**
 * How far behind the leader a standby is that told its replay position in answer to a question sent at `at`; undefined if
 * that, or where the leader stands, is not known. It is judged by the leader and not by the standby's own receiver, so one
 * that is cut off falls behind as soon as the leader writes, and while nothing is written nobody does.
 *
 * While there is no leader nothing is written: `at` should not be later than its loss then.
 */
export function lagOf(
  { samples }: LagTrack,
  { at, lsn }: { readonly at: number; readonly lsn: bigint | undefined },
): Lag | undefined {
  const newest = samples.at(-1)
  if (newest === undefined || lsn === undefined) return undefined
  if (lsn >= newest.lsn) return { bytes: 0, millis: 0 }
  return { bytes: Number(newest.lsn - lsn), millis: Math.max(0, at - momentOf(samples, lsn)) }
}

/** The last moment at which the leader stood there: between samples as if it had written evenly. -Infinity: before them all. */
function momentOf(samples: readonly LeaderSample[], lsn: bigint): number {
  const next = samples.findIndex((sample) => sample.lsn > lsn)
  const [from, to] = [samples[next - 1], samples[next]]
  if (from === undefined || to === undefined) return -Infinity
  return from.at + (Number(lsn - from.lsn) / Number(to.lsn - from.lsn)) * (to.at - from.at)
}

/** The samples up to this position, and the moment at which it was reached. */
function cutOff(samples: readonly LeaderSample[], lsn: bigint): readonly LeaderSample[] {
  const shared = samples.filter((sample) => sample.lsn <= lsn)
  return shared.length === 0 ? [] : [...shared, Object.freeze({ at: momentOf(samples, lsn), lsn })]
}

/** Leaves out what is too long ago, and of the rest what its neighbours tell well enough. */
function thin(samples: readonly LeaderSample[]): readonly LeaderSample[] {
  const now = samples.at(-1)?.at ?? 0
  const kept: LeaderSample[] = []
  for (let index = samples.length - 1; index >= 0; index--) {
    const [older, sample, newer] = [samples[index - 1], samples[index], kept[0]]
    if (sample === undefined) continue
    const stoodStill = older?.lsn === sample.lsn && newer?.lsn === sample.lsn
    const apart = Math.max(finestMillis, coarseness * (now - sample.at))
    const isTold = older !== undefined && newer !== undefined && (stoodStill || newer.at - older.at <= apart)
    if (!isTold) kept.unshift(sample)
    if (sample.at <= now - longestLagMillis) break
  }
  return kept
}
