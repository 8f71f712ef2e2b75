import { formatLsn } from '../core/outcome/lsn'
import { announcesEnd, serverCode, sqlstate } from '../core/retry/sqlstate'
import { covers } from '../core/selection/position'
import type { Position } from '../core/selection/position'
import type { HostKey } from '../core/topology/host'
import { asText } from '../runtime/as-text'
import { now } from '../runtime/clock'
import { createLog } from '../runtime/log'
import type { Ask } from './ask'

const log = createLog('pool')

/** `server_version_num` of the first PostgreSQL that has WAIT FOR. */
const firstVersion = 190_000

/**
 * A session that waits is one of those that reads need: should they all be taken meanwhile, nobody stands in line because of
 * it for longer than this.
 */
const longestWaitMillis = 25

/** An application's own `query_timeout` is not meant for waiting, and may be shorter. */
const queryTimeoutMillis = 1000

/** One statement that is open on a host. */
interface Wait {
  readonly wanted: Position
  readonly until: number
  readonly ended: Promise<void>
}

/**
 * `WAIT FOR LSN` (PostgreSQL 19): a standby that says by itself when it has come so far. It knows no timelines, so what it says is
 * never more than a reason to ask. On each host at most one session waits, and only if another one is left for those who read.
 */
export class ReplayWaits {
  readonly #ask: Ask
  readonly #hasSpare: (host: HostKey) => boolean
  readonly #versions = new Map<HostKey, number>()
  /** In which version it was refused: a fork that has not got it, or settings with which it cannot be had. */
  readonly #refused = new Map<HostKey, number>()
  readonly #open = new Map<HostKey, Wait>()
  /** What a wait has ended for before its time. If a question then denies it, waiting again would end at once as well. */
  readonly #ended = new Map<HostKey, Position>()

  /** `hasSpare`: whether one session more than the one that waits can be had on a host now. */
  constructor(ask: Ask, hasSpare: (host: HostKey) => boolean) {
    this.#ask = ask
    this.#hasSpare = hasSpare
  }

  /** What a host says that it runs, its `server_version_num`. */
  noteVersion(host: HostKey, version: string | null | undefined): void {
    this.#versions.set(host, Number(version ?? 0))
  }

  /** A host has been lost sight of. */
  forget(host: HostKey): void {
    this.#ended.delete(host)
  }

  /**
   * Resolves, never later than `until`, when it is worth while to ask a standby again whether it has come so far. Undefined: it cannot
   * be waited for in this way now.
   */
  wait(host: HostKey, wanted: Position, until: number): Promise<void> | undefined {
    const open = this.#open.get(host)
    // It comes past what lies before it first.
    if (open !== undefined) return open.wanted.lsn <= wanted.lsn && open.until <= until ? open.ended : undefined
    // No time at all would be for ever.
    const millis = Math.floor(Math.min(longestWaitMillis, until - now()))
    const isOffered = this.#isOffered(host) && !covers(this.#ended.get(host), wanted)
    if (millis < 1 || !isOffered || !this.#hasSpare(host)) return undefined
    const ended = this.#wait(host, wanted, millis).finally(() => this.#open.delete(host))
    this.#open.set(host, { wanted, until: now() + millis, ended })
    return ended
  }

  #isOffered(host: HostKey): boolean {
    const version = this.#versions.get(host) ?? 0
    return version >= firstVersion && this.#refused.get(host) !== version
  }

  async #wait(host: HostKey, wanted: Position, millis: number): Promise<void> {
    const text = `wait for lsn '${formatLsn(wanted.lsn)}' with (timeout '${millis}ms', no_throw)`
    try {
      const { rows } = await this.#ask(host, { text, types: asText, query_timeout: queryTimeoutMillis })
      if (rows[0]?.['status'] === 'timeout') return
    } catch (error) {
      log('%s cannot be waited for: %s', host, (error as Error).message)
      if (isRefusal(serverCode(error))) this.#refused.set(host, this.#versions.get(host) ?? 0)
    }
    this.#ended.set(host, wanted)
  }
}

/** Whether it would be refused again: not if the session has ended, nor for a conflict with recovery. */
function isRefusal(code: string | undefined): boolean {
  return code !== undefined && !announcesEnd(code) && code !== sqlstate.serializationFailure
}
