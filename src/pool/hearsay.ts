import { isEnding } from '../client/pg-internals'
import type { SessionNews } from '../client/session-news'
import { connectFailureIsAboutCaller } from '../core/retry/connect-failure'
import { announcesShutdown, serverCode, sqlstate } from '../core/retry/sqlstate'
import type { HostKey } from '../core/topology/host'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import type { LivingTopology } from '../topology/living-topology'
import type { Blame } from './blame'
import { noteNews } from './session'
import type { Session } from './session'

const log = createLog('pool')

/**
 * What sessions and dials tell of their hosts. It is a hint and never a verdict: a host is put in doubt or asked again,
 * and its own answer decides.
 */
export class Hearsay {
  readonly #topology: LivingTopology
  readonly #blame: Blame
  readonly #suspected: () => void
  readonly #doubted = new Map<HostKey, number>()
  #lastDoubt = 0

  /** `suspected` is called when a host has been put in doubt. */
  constructor(topology: LivingTopology, blame: Blame, suspected: () => void) {
    this.#topology = topology
    this.#blame = blame
    this.#suspected = suspected
  }

  /** Whether a session's host has been in doubt since the session last answered. */
  doubts(session: Session): boolean {
    return session.usedAt < this.#lastDoubt && session.usedAt < (this.#doubted.get(session.host) ?? 0)
  }

  /** Sessions that answered before now have to answer again before they are handed out. */
  doubt(host: HostKey): void {
    this.#lastDoubt = now()
    this.#doubted.set(host, this.#lastDoubt)
  }

  /** A host has left. */
  forget(host: HostKey): void {
    this.#doubted.delete(host)
  }

  suspect(host: HostKey, why: string): void {
    this.doubt(host)
    this.#topology.suspect(host, why)
    this.#suspected()
  }

  /** A host could not be dialled. `hint`: whether that is news, or was to be expected. */
  dialFailed(host: HostKey, error: Error & { code?: unknown }, hint: boolean): void {
    log('%s: could not connect: %s', host, error.message)
    if (connectFailureIsAboutCaller(error)) return
    this.#blame.put('host', error)
    // A server whose places are all taken is alive and well.
    if (error.code !== sqlstate.tooManyConnections && hint) this.suspect(host, error.message)
  }

  /** A session of a pool has something to say. */
  news(session: Session, news: SessionNews): void {
    const { host } = session
    noteNews(session, news, now())
    switch (news.type) {
      case 'role':
        // What a session hears of promotion or demotion is a hint: the monitor goes and looks.
        void this.#topology.ask(host)
        break
      case 'notice':
        if (!announcesShutdown(news.sqlstate)) break
        this.suspect(host, `a notice said ${news.sqlstate ?? ''}`)
        break
      case 'error': {
        const code = serverCode(news.error)
        if (code === undefined) this.#lost(session, news.error.message)
        else if (announcesShutdown(code)) this.suspect(host, `a session was ended with ${code}`)
        else if (code === sqlstate.readOnlySqlTransaction) void this.#topology.ask(host)
        break
      }
      case 'end':
        this.#lost(session, 'a connection was lost')
        break
      default:
        news satisfies never
    }
  }

  #lost(session: Session, why: string): void {
    if (!session.retired && !session.announced && !isEnding(session.client)) this.suspect(session.host, why)
  }
}
