import { someOf } from './some-of'
import type { TargetSessionAttrs } from './target-session-attrs'

/** One attempt of a walk that took no host. */
export interface FailedAttempt {
  /** The entry of the host list. */
  readonly host: string
  /** The address, where the host's name has several. */
  readonly address?: string
  readonly reason: string
  /** SQLSTATE or errno, if the failure had one. */
  readonly code: string | undefined
  /** Whether the host answered and was only not what was wanted. */
  readonly unsuitable: boolean
}

/** The one code of all attempts, or 08001: a connection could not be established. */
export function commonCode(attempts: readonly FailedAttempt[]): string {
  const codes = new Set(attempts.map((attempt) => attempt.code))
  const [code] = codes
  return codes.size === 1 && code !== undefined ? code : '08001'
}

/** What happened at every host, how long it took, and what to do about it. */
export function explainFailures(
  wanted: TargetSessionAttrs,
  tookMillis: number,
  attempts: readonly FailedAttempt[],
): string {
  const each = attempts.map(({ host, address, reason }) => {
    const where = address === undefined ? host : `${host} (${address})`
    return reason.startsWith(`${host}: `) ? `${where}${reason.slice(host.length)}` : `${where}: ${reason}`
  })
  const time = `${String(Math.round(tookMillis))} ms`
  return `no host would do for target_session_attrs=${wanted} (${time}): ${someOf(each)}. ${remedy(wanted, attempts)}`
}

function remedy(wanted: TargetSessionAttrs, attempts: readonly FailedAttempt[]): string {
  if (attempts.every((attempt) => attempt.unsuitable)) {
    return `All of them answered: list the host that is ${wanted}, or wait until one of them is promoted or demoted.`
  }
  if (attempts.some((attempt) => attempt.unsuitable)) {
    return `If the host that is ${wanted} is among those that failed, see why; if not, list it.`
  }
  return 'Check that the servers run and that this machine reaches them under these names and ports.'
}
