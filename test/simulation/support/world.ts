import type { HostKey, Observation } from '../../../src/core/topology/host'
import type { Disturbance } from './history'

/** One server as it really is. */
export interface Server {
  readonly key: HostKey
  readonly foreign: boolean
  readonly unreadable: boolean
  up: boolean
  reachable: boolean
  primary: boolean
  fenced: boolean
  timeline: number
  starts: number
  /** All places are taken: it lets nobody in. */
  full: boolean
  /** How much longer than others its packets may travel. */
  slowMillis: number
  /** What it answers whatever is true: a picture of an earlier moment. */
  lie: Truth | undefined
}

/** How far a standby has come, and how far a primary. */
export type Question = 'replayed' | 'written'

export type Row = Readonly<Record<string, unknown>>

/** What a question to a server finds out. */
export type Truth =
  { readonly type: 'answer'; readonly answer: Observation } | { readonly type: 'silence'; readonly reason: string }

/**
 * The servers as they really are; nobody sees them but through questions. The first one of ours starts as the primary on
 * timeline 1. A promotion opens a timeline above all there are, as PostgreSQL does when the standbys share an archive, or,
 * without one, the next after the standby's own; it does not end the old primary, which goes on claiming the lead.
 */
export class World {
  readonly servers: readonly Server[]

  constructor(count: number, foreign: readonly number[], unreadable: readonly number[]) {
    const first = [...Array(count).keys()].find((index) => !foreign.includes(index))
    this.servers = [...Array(count).keys()].map((index) => ({
      key: `h${index}:5432`,
      foreign: foreign.includes(index),
      unreadable: unreadable.includes(index),
      up: true,
      reachable: true,
      primary: index === first || foreign.includes(index),
      fenced: false,
      timeline: foreign.includes(index) ? 9 : 1,
      starts: 0,
      full: false,
      slowMillis: 0,
      lie: undefined,
    }))
  }

  /** Servers of our cluster. */
  get ours(): readonly Server[] {
    return this.servers.filter((server) => !server.foreign)
  }

  server(index: number): Server {
    const server = this.servers[Math.max(0, index) % this.servers.length]
    if (server === undefined) throw new Error('a world without servers')
    return server
  }

  /** Something happens to a server or to the way there. */
  disturb(what: Disturbance, server: Server): void {
    switch (what) {
      case 'promote':
        return this.promote(server)
      case 'fork':
        return this.promote(server, server.timeline + 1)
      case 'demote':
        return this.demote(server)
      case 'crash':
        server.up = false
        return
      case 'start':
        return this.start(server)
      case 'restart':
        server.up = false
        return this.start(server)
      case 'fence':
        server.fenced = !server.fenced
        return
      case 'partition':
        server.reachable = false
        return
      case 'heal':
        server.reachable = true
        return
      case 'lie':
        return this.lie(server)
      case 'restore':
        return this.restore(server)
      default:
        what satisfies never
    }
  }

  promote(server: Server, timeline = this.#newest(server.foreign) + 1): void {
    if (!server.up || server.primary) return
    Object.assign(server, { primary: true, timeline })
  }

  #newest(foreign: boolean): number {
    return Math.max(...this.servers.filter((server) => server.foreign === foreign).map(({ timeline }) => timeline))
  }

  /** Rewound and started again as a standby of whoever is ahead. */
  demote(server: Server): void {
    const ahead = this.ours.filter((other) => other !== server && other.primary).map(({ timeline }) => timeline)
    if (server.foreign || ahead.length === 0 || Math.max(...ahead) < server.timeline) return
    Object.assign(server, {
      primary: false,
      fenced: false,
      up: true,
      timeline: Math.max(...ahead),
      starts: server.starts + 1,
    })
  }

  /** Put back to an old backup and started as a primary. */
  restore(server: Server): void {
    if (!server.foreign) Object.assign(server, { primary: true, up: true, timeline: 1, starts: server.starts + 1 })
  }

  start(server: Server): void {
    if (server.up) return
    server.up = true
    server.starts += 1
  }

  /** From now on it tells what is true now; told again, the truth. */
  lie(server: Server): void {
    server.lie = server.lie === undefined && server.up ? this.ask({ ...server, reachable: true }) : undefined
  }

  /**
   * Everybody of ours can be reached and answers truthfully, one of them is the only primary and ahead, those of the other cluster
   * are silent.
   */
  calmDown(): void {
    const well = { reachable: true, fenced: false, full: false, slowMillis: 0, lie: undefined }
    for (const server of this.servers) Object.assign(server, well, { up: !server.foreign })
    const { ours } = this
    const [first] = ours
    if (first === undefined) return
    const ahead = ours.reduce((best, server) => (server.timeline > best.timeline ? server : best), first)
    for (const server of ours) if (server !== ahead) server.primary = false
    if (!ahead.primary) this.promote(ahead)
  }

  /** The rows of a statement that begins now: of a question that the library asks, or of what the application reads. */
  see(_server: Server, _asks: Question | undefined): readonly Row[] {
    return []
  }

  /** A primary has executed a write; `committed` is called when it may be told of. */
  write(_server: Server, _id: number | undefined, committed: () => void): void {
    committed()
  }

  ask(server: Server): Truth {
    if (!server.reachable) return { type: 'silence', reason: 'did not answer' }
    if (!server.up) return { type: 'silence', reason: 'connection refused' }
    if (server.lie !== undefined) return server.lie
    const { unreadable } = server
    return {
      type: 'answer',
      answer: Object.freeze({
        inRecovery: !server.primary,
        defaultTransactionReadOnly: server.primary && server.fenced,
        systemIdentifier: unreadable ? undefined : server.foreign ? 'theirs' : 'ours',
        timeline: unreadable ? undefined : server.timeline,
        postmasterStartTime: unreadable ? undefined : `${server.key} start ${server.starts}`,
        lsn: undefined,
        roundTripMillis: 1,
      }),
    }
  }
}
