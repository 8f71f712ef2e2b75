import type { HostKey } from '../core/topology/host'
import { random } from '../runtime/random'
import { after } from '../runtime/timer'
import type { Timer } from '../runtime/timer'
import type { Destination } from './bound-client'

/** How soon a session on the new leader is asked again that still took its server for a standby. */
const recheckMillis = 5

/** Between two sessions that are let go on a host that has come to lead: its first statements are its slowest. */
const spacingMillis = 1

/**
 * How long after that the sessions on other hosts are given up, one by one: each costs this process time (a socket, an
 * error, a client made anew) in which it would not read what the first callers on the new leader are answered.
 */
const givingUpMillis = 20

/** Why a session that is made in advance is not taken while nobody leads. */
const notYet = 'its server does not lead yet'

/** A session on its way to a standby, or parked there. */
interface Waiting {
  readonly host: HostKey
  recheck: () => void
  abort: (reason: Error) => void
  /** Until it is asked again, or given up. */
  timer: Timer | undefined
}

/** What those sessions are judged by. */
export interface InAdvancePort {
  /** There is a host to go to now. */
  available(): boolean
  /** Who leads, if somebody does. */
  leader(): HostKey | undefined
  generation(): number
  /** The error for a session that is given up: nobody is to blame. */
  inVain(host: HostKey): Error
  parked(host: HostKey): void
}

/** Sessions that are made on standbys while nobody leads, and wait there, parked, for their server to lead. */
export class InAdvance {
  readonly #port: InAdvancePort
  readonly #waiting = new Set<Waiting>()

  constructor(port: InAdvancePort) {
    this.#port = port
  }

  /** Whether a session is on its way to this host, or parked there. */
  isWaitingOn(host: HostKey): boolean {
    return [...this.#waiting].some((session) => session.host === host)
  }

  /** Of these hosts the one on which the fewest sessions wait. */
  leastWaitedOn(hosts: readonly HostKey[]): HostKey | undefined {
    const waiting = (key: HostKey): number => [...this.#waiting].filter(({ host }) => host === key).length
    return [...hosts].sort((a, b) => waiting(a) - waiting(b))[0]
  }

  /** Makes of a way to a host the way of a session that waits there; it is of the generation in which it is taken. */
  destination(destination: Destination): Destination {
    const { host } = destination
    const session: Waiting = { host, recheck: () => undefined, abort: () => undefined, timer: undefined }
    return {
      ...destination,
      generation: () => this.#port.generation(),
      accept: (role) => {
        if (!this.#port.available()) return notYet
        const reason = destination.accept(role)
        // It leads, and this session has not heard of it yet: it is asked once more.
        if (reason !== undefined) this.#recheckAfter(recheckMillis, session)
        return reason
      },
      park: (parked) => {
        this.#port.parked(host)
        session.recheck = () => parked.recheck()
        this.#recheck(session)
      },
      dialling: (abort) => {
        session.abort = abort
        this.#waiting.add(session)
        const over = destination.dialling(abort)
        return () => {
          over()
          session.timer?.cancel()
          this.#waiting.delete(session)
        }
      },
    }
  }

  /**
   * Somebody leads: the sessions on that host are asked again, one at first, which has the host to itself, the others after
   * it one by one; those elsewhere were made in vain, and go later, if there is anything to wait for.
   */
  recheckAll(): void {
    const leader = this.#port.leader()
    const there = [...this.#waiting].filter(({ host }) => host === leader)
    const elsewhere = [...this.#waiting].filter(({ host }) => host !== leader)
    this.#recheckSpaced(there, 0)
    this.#recheckSpaced(elsewhere, there.length === 0 ? 0 : givingUpMillis)
  }

  #recheckSpaced(sessions: readonly Waiting[], first: number): void {
    sessions.forEach((session, place) => {
      if (place === 0 && first === 0) this.#recheck(session)
      else this.#recheckAfter(first + (place + random() - 0.5) * spacingMillis, session)
    })
  }

  /** Somebody may wait for what becomes of it, so the process is kept alive; nothing is left when it is over. */
  #recheckAfter(millis: number, session: Waiting): void {
    session.timer?.cancel()
    session.timer = after(millis, () => this.#recheck(session), { ref: true })
  }

  #recheck(session: Waiting): void {
    if (this.#port.leader() === session.host) session.recheck()
    else if (this.#port.available()) session.abort(this.#port.inVain(session.host))
  }
}
