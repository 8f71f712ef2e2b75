import type { Pool, TopologySnapshot } from '../../../../src/index'
import type { Host } from '../../../support'
import { keyOf } from '../../pool/support/clusters'

/** Between two looks at this process's own lateness. */
const beatMillis = 10

/** What a pool told of its cluster, and when; and how late the timers of this process were meanwhile. */
export interface Chronicle {
  readonly told: readonly { readonly at: number; readonly topology: TopologySnapshot }[]
  /** When the pool told first that a host is something, `leader` for example, and how long the probe took that found it so. */
  first(host: Host, role: string): { readonly at: number; readonly roundTripMillis: number }
  /**
   * The last instant at which a write may be acknowledged by the old leader: when `next` was known to be what it is now, one
   * monitor interval, and what the pool's own probes took from being sent to the decision. Timers of this process that came
   * late, and probes that took longer than the interval, are the machine's and not the pool's.
   */
  latest(since: number, intervalMillis: number, next: Host, seenAs: string, decidedAt: number): number
  stop(): void
}

export function chronicle(pool: Pool): Chronicle {
  const told: { at: number; topology: TopologySnapshot }[] = []
  const slowest = new Map<string, number>()
  pool.on('topology', (topology) => told.push({ at: performance.now(), topology }))
  let lateness = 0
  let last = performance.now()
  const metronome = setInterval(() => {
    const at = performance.now()
    lateness = Math.max(lateness, at - last - beatMillis)
    last = at
    for (const { host, roundTripMillis = 0 } of pool.topology.hosts) {
      slowest.set(host, Math.max(slowest.get(host) ?? 0, roundTripMillis))
    }
  }, beatMillis)
  const first = (host: Host, role: string): { at: number; roundTripMillis: number } => {
    for (const { at, topology } of told) {
      const seen = topology.hosts.find((each) => each.host === keyOf(host))
      if (seen?.role === role) return { at, roundTripMillis: seen.roundTripMillis ?? 0 }
    }
    throw new Error(`${keyOf(host)} was never told to be ${role}`)
  }
  return {
    told,
    first,
    latest(since, intervalMillis, next, seenAs, decidedAt) {
      const seen = first(next, seenAs)
      const probing = decidedAt - (seen.at - seen.roundTripMillis)
      const slow = Math.max(0, (slowest.get(keyOf(next)) ?? 0) - intervalMillis)
      return since + intervalMillis + probing + lateness + slow
    },
    stop: () => clearInterval(metronome),
  }
}
