import { later } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import type { HostKey } from '../core/topology/host'
import type { HostPositions } from '../pool/host-positions'
import { now } from '../runtime/clock'
import type { SessionReads } from './session-scope'

/** What the choice of a host that has what a read has to see needs of its pool. */
export interface PlacementPort {
  readonly positions: HostPositions
  /** How long a standby is waited for, in milliseconds. */
  readonly waitMillis: number
  /** The hosts that a read may go to now. */
  hosts(): readonly HostKey[]
  /** The one of them that is next; undefined if there is none. */
  pick(): HostKey | undefined
  /** Who leads; undefined while nobody does. */
  leader(): HostKey | undefined
  /** The timeline that history is on. */
  timeline(): number | undefined
  /** Which start of a host's server it is that answers; undefined while that is in doubt. */
  startOf(host: HostKey): unknown
  /** When the question was sent that tells of it newest. */
  knownAt(host: HostKey): number
  /** The leader's position, asked for now; waits for a leader. Undefined if the servers do not tell. */
  askLeader(): Promise<Position | undefined>
}

/** Where a read goes that has something to see. */
export interface Place {
  readonly host: HostKey
  /** It is the leader: who reads there sees all that there is. */
  readonly leads: boolean
  /** Which start of its server was meant. */
  readonly start: unknown
  /**
   * It is true of that server, and of whoever was connected to it before this moment. At the other end of a newer connection
   * may be one that was started again meanwhile.
   */
  readonly knownAt: number
}

/**
 * The host for a read of this session, after this position: a standby that has come so far, or the leader. Undefined if there
 * is no host at all to read from. Rejects if the leader had to be asked and could not be.
 */
export async function place(
  port: PlacementPort,
  session: SessionReads | undefined,
  after: Position | undefined,
): Promise<Place | undefined> {
  for (;;) {
    const found = await look(port, session, after)
    // Meanwhile another read of the session may have found another place, and read there already.
    const isOvertaken = session?.seen !== undefined && session.seen.host !== found?.host && found?.leads === false
    if (isOvertaken) continue
    if (session !== undefined && found?.leads === false) {
      session.seen = { host: found.host, start: found.start }
    }
    return found
  }
}

async function look(
  port: PlacementPort,
  session: SessionReads | undefined,
  after: Position | undefined,
): Promise<Place | undefined> {
  let wanted = later(session?.wanted, after)
  const { seen } = session ?? {}
  const stays = seen !== undefined && seen.start !== undefined && port.startOf(seen.host) === seen.start
  // Elsewhere there may be less than it has seen: all there is, is as much as anybody can have seen.
  const moves = seen !== undefined && !(stays && port.hosts().includes(seen.host))
  if (session !== undefined && (session.hasUnknown || moves)) {
    const askedAt = now()
    const position = await port.askLeader()
    if (position === undefined) return onLeader(port)
    session.learned(position, askedAt)
    if (moves && session.seen === seen) session.seen = undefined
    wanted = later(session.wanted, after)
  }
  const isOfThisHistory = (position: Position | undefined): boolean =>
    position === undefined || position.timeline === port.timeline()
  if (!isOfThisHistory(wanted) || !isOfThisHistory(after)) return onLeader(port)
  return (await standby(port, session, wanted)) ?? onLeader(port)
}

async function standby(
  port: PlacementPort,
  session: SessionReads | undefined,
  wanted: Position | undefined,
): Promise<Place | undefined> {
  const hosts = port.hosts()
  const known = session?.seen?.host
  const ready = wanted === undefined ? hosts : hosts.filter((host) => port.positions.has(host, wanted))
  const next = port.pick()
  const chosen =
    known !== undefined && hosts.includes(known) ? known : ready.includes(next as HostKey) ? next : (ready[0] ?? next)
  if (chosen === undefined) return undefined
  const found = placeAt(port, chosen)
  if (wanted === undefined || found.leads) return found
  return (await port.positions.reaches(chosen, wanted, port.waitMillis)) ? found : undefined
}

async function onLeader(port: PlacementPort): Promise<Place | undefined> {
  let host = port.leader()
  if (host === undefined) {
    await port.askLeader()
    host = port.leader()
  }
  return host === undefined ? undefined : placeAt(port, host)
}

/** As it is known now: what is asked of a host afterwards may be answered by one that was started since. */
function placeAt(port: PlacementPort, host: HostKey): Place {
  return { host, leads: host === port.leader(), start: port.startOf(host), knownAt: port.knownAt(host) }
}
