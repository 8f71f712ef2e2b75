import type { Pool, TopologySnapshot } from '../../../../src/index'
import type { Host } from '../../../support'
import { keyOf } from '../../pool/support/clusters'

/** Between two looks at this process's own lateness. */
const beatMillis = 10

/** One `topology` event. */
export interface Told {
  readonly at: number
  readonly topology: TopologySnapshot
}

/** What a pool told of its cluster, and when; and how late the timers of this process were meanwhile. */
export interface Chronicle {
  readonly told: readonly Told[]
  /**
   * The last instant at which a write may be acknowledged by the old leader: when `next` was known to be what it is now, one
   * monitor interval, and as long as the pool's own probe of it took, and the second look that it takes to depose a leader.
   * Timers of this process that came late, and a probe before it that took longer than the interval, are the machine's.
   */
  latest(since: number, intervalMillis: number, next: Host, seenAs: string, decided: Told): number
  stop(): void
}

export function chronicle(pool: Pool): Chronicle {
  const told: Told[] = []
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
  const firstLook = (host: Host, role: string): number => {
    const seen = told.flatMap(({ topology }) => topology.hosts.filter((each) => each.host === keyOf(host)))
    const first = seen.find((each) => each.role === role)
    if (first === undefined) throw new Error(`${keyOf(host)} was never told to be ${role}`)
    return first.roundTripMillis ?? 0
  }
  return {
    told,
    latest(since, intervalMillis, next, seenAs, { topology }) {
      const secondLook = topology.hosts.find(({ host }) => host === keyOf(next))?.roundTripMillis ?? 0
      const probing = firstLook(next, seenAs) + secondLook
      const slow = Math.max(0, (slowest.get(keyOf(next)) ?? 0) - intervalMillis)
      // Late may be the timer of the probe, and again whoever hears its answer.
      return since + intervalMillis + probing + 2 * lateness + slow
    },
    stop: () => clearInterval(metronome),
  }
}
