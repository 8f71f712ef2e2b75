import { isAboutCaller } from '../core/retry/sqlstate'
import type { FailedAttempt } from '../core/selection/explain-failures'
import { commonCode, explainFailures } from '../core/selection/explain-failures'
import { faultOf } from '../core/selection/fault'
import type { RandomSource } from '../core/selection/shuffle'
import { shuffle } from '../core/selection/shuffle'
import type { TargetSessionAttrs } from '../core/selection/target-session-attrs'
import { passes } from '../core/selection/walk-order'
import { HostsUnreachableError, isConnInfoError } from '../errors'
import { now } from '../runtime/clock'
import type { FollowOptions, ResolvedHost } from './conninfo/follow-options'

/** How one address of one host took the attempt. */
export type AttemptResult =
  | { readonly type: 'taken' }
  /** It answered and is not what was wanted. */
  | { readonly type: 'unsuitable'; readonly error: Error }
  | { readonly type: 'failed'; readonly error: Error }

/** What a walk does to the world. */
export interface WalkSteps {
  readonly random: RandomSource
  /** The addresses of a host, or none if there is no choice to make. */
  addresses(host: ResolvedHost): Promise<readonly string[]>
  /** Dials one address. `target.hostaddr` is set if the host has several. */
  attempt(target: ResolvedHost, wanted: TargetSessionAttrs): Promise<AttemptResult>
  /** Whether another host might accept what this one refused. */
  credentialsDiffer(): boolean
}

interface Failure extends FailedAttempt {
  readonly error: Error
}

/**
 * Walks over the hosts as libpq does and resolves once one was taken: the hosts in order or shuffled, all addresses of
 * each, two passes for `prefer-standby`. Where libpq gives up on the whole list (EOF in the handshake, 53300, 57P01) it
 * goes on, and a mismatch skips one address, not the name. It stops for what is about the caller: 28xxx, 3D000, 42501, and a
 * password that never came to be judged.
 *
 * @throws HostsUnreachableError with one entry an attempt; or, if there was one attempt only or the walk had to stop,
 * the very error of that attempt.
 */
export async function walk(
  {
    hosts,
    targetSessionAttrs,
    loadBalanceHosts,
  }: Pick<FollowOptions, 'hosts' | 'targetSessionAttrs' | 'loadBalanceHosts'>,
  steps: WalkSteps,
): Promise<void> {
  const start = now()
  const inOrder = <T>(items: readonly T[]): readonly T[] =>
    loadBalanceHosts === 'random' ? shuffle(items, steps.random) : items
  const [first, second] = passes(targetSessionAttrs)
  const failures: Failure[] = []
  const answered: ResolvedHost[] = []
  let differ: boolean | undefined

  /** Whether the target was taken. Throws if going on would be no use. */
  async function tried(
    target: ResolvedHost,
    address: string | undefined,
    wanted: TargetSessionAttrs,
  ): Promise<boolean> {
    const result = await steps.attempt(target, wanted)
    if (result.type === 'taken') return true
    const { error } = result
    if (isConnInfoError(error) || (isCallersFault(error) && !(differ ??= steps.credentialsDiffer()))) throw error
    if (result.type === 'unsuitable' && second !== undefined) answered.push(target)
    else failures.push(failure(target, address, error, result.type === 'unsuitable'))
    return false
  }

  for (const host of inOrder(hosts)) {
    let addresses: readonly string[]
    try {
      addresses = await steps.addresses(host)
    } catch (error) {
      if (isConnInfoError(error)) throw error
      failures.push(failure(host, undefined, error as Error, false))
      continue
    }
    if (addresses.length === 0) {
      if (await tried(host, undefined, first ?? 'any')) return
    }
    for (const address of inOrder(addresses)) {
      if (await tried({ ...host, hostaddr: address }, address, first ?? 'any')) return
    }
  }
  if (second !== undefined) {
    // Only those that answered: who was dead a moment ago would cost its time-out again.
    for (const target of answered.splice(0)) {
      const address = hosts.includes(target) ? undefined : target.hostaddr
      if (await tried(target, address, second)) return
    }
  }
  const [only] = failures
  if (failures.length === 1 && only !== undefined) throw only.error
  const message = explainFailures(targetSessionAttrs, now() - start, failures)
  const reported = failures.map(({ host, address, error }) =>
    Object.freeze(address === undefined ? { host, error } : { host, address, error }),
  )
  throw new HostsUnreachableError(message, commonCode(failures), Object.freeze(reported))
}

function failure(target: ResolvedHost, address: string | undefined, error: Error, unsuitable: boolean): Failure {
  const attempt = { host: target.key, reason: wordsOf(error), code: codeOf(error), unsuitable, error }
  return address === undefined ? attempt : { ...attempt, address }
}

function isCallersFault(error: Error): boolean {
  const fault = faultOf(error)
  return fault === undefined ? isAboutCaller(codeOf(error)) : fault === 'caller'
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** Node reports several refused addresses as an AggregateError, whose own message is empty. */
function wordsOf(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((each) => (each as Error).message).join(', ')
  return codeOf(error) ?? error.name
}
