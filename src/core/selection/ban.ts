import type { HostKey } from '../topology/host'

/** Reads keep away from a host for so long after its first failure; twice as long after each further one. */
export const firstBanMillis = 1000

/** No ban is longer. After as long without a failure, from the end of a ban on, the next one is the first again. */
export const longestBanMillis = 30_000

/** One host's last ban. */
export interface Ban {
  readonly since: number
  /** When it is over, or was, by time or by an answer. */
  readonly until: number
  /** How long it was meant to be: the next one lasts twice as long. */
  readonly millis: number
}

/** Which hosts reads keep away from, and which they did of late. Immutable. */
export type Bans = ReadonlyMap<HostKey, Ban>

/** Nobody ever failed. */
export const noBans: Bans = new Map()

/**
 * A read has failed there, and it was the host's fault. One more failure during a ban changes nothing: what is lost with
 * one server are many connections, and that is one failure.
 */
export function ban(bans: Bans, key: HostKey, at: number): Bans {
  if (isBanned(bans, key, at)) return bans
  const remembered = [...bans].filter(([, last]) => !isForgotten(last, at))
  const last = bans.get(key)
  const millis =
    last === undefined || isForgotten(last, at) ? firstBanMillis : Math.min(2 * last.millis, longestBanMillis)
  return new Map([...remembered, [key, Object.freeze({ since: at, until: at + millis, millis })]])
}

/** Whether reads keep away from a host. */
export function isBanned(bans: Bans, key: HostKey, at: number): boolean {
  return bannedForMillis(bans, key, at) > 0
}

/** How long reads still keep away from a host; 0 if they do not. */
export function bannedForMillis(bans: Bans, key: HostKey, at: number): number {
  return Math.max(0, (bans.get(key)?.until ?? at) - at)
}

/**
 * The host has answered well to a probe that was sent at `sentAt`. That ends a ban that had begun before; an answer to an
 * earlier question may be older than the failure. The failure stays remembered: one that comes back soon costs twice.
 */
export function noteAnswer(bans: Bans, key: HostKey, sentAt: number): Bans {
  const last = bans.get(key)
  if (last === undefined || sentAt <= last.since || sentAt >= last.until) return bans
  return new Map([...bans, [key, Object.freeze({ ...last, until: sentAt })]])
}

/** The host is gone: should it come back, it is another one. */
export function forgive(bans: Bans, key: HostKey): Bans {
  return bans.has(key) ? new Map([...bans].filter(([other]) => other !== key)) : bans
}

function isForgotten({ until }: Ban, at: number): boolean {
  return at - until >= longestBanMillis
}
