import type { ClientConfig } from 'pg'

import type { Tags } from '../../core/selection/tags'
import type { TargetSessionAttrs } from '../../core/selection/target-session-attrs'

/** What one attempt to connect may take where neither `connectionTimeoutMillis` nor `connect_timeout` says anything. */
export const defaultConnectTimeoutMillis = 10_000

/** One entry of the host list with everything filled in. */
export interface ResolvedHost {
  /** `db1:5432`, `[::1]:5432`, `/tmp:5432`: for humans and maps, unique within the list. */
  readonly key: string
  /** The name for TLS and for humans, or the directory of a Unix socket. */
  readonly host: string
  /** The numeric address that is dialled instead of `host`. */
  readonly hostaddr: string | undefined
  readonly port: number
  /** Its share of the reads beside the other hosts' weights; 0: only if there is nobody else. Default: 1. */
  readonly weight: number
  /** What reads may prefer it by. Default: none. */
  readonly tags: Tags
}

/** Options of a Pool or Client together with environment and files, resolved in libpq's order. */
export interface FollowOptions {
  /** At least one. */
  readonly hosts: readonly ResolvedHost[]
  /** Default: `any` for one host, `read-write` for several, or a list that somebody else keeps (libpq: always `any`). */
  readonly targetSessionAttrs: TargetSessionAttrs
  /** Default: `disable`. */
  readonly loadBalanceHosts: 'disable' | 'random'
  /** `connectionTimeoutMillis`, else `connect_timeout` in seconds; `undefined` if neither is given or it is 0. */
  readonly connectTimeoutMillis: number | undefined
  /** Exactly one host and nothing of ours: `clientOptions` returns what the user gave, unread. */
  readonly plain: boolean
  /**
   * pg's configuration for exactly one host. Built anew at each call, so that a password file or a certificate that was changed meanwhile is seen by the next connection.
   *
   * @throws ConnInfoError where a file that is named cannot be read, or pg cannot do what was asked for.
   */
  clientOptions(host: ResolvedHost): ClientConfig
  /**
   * Reads a list of hosts that somebody else keeps. Those that are `known` already keep their keys.
   *
   * @throws ConnInfoError for an entry that cannot be used.
   */
  relist(entries: readonly unknown[], known: readonly ResolvedHost[]): readonly ResolvedHost[]
}
