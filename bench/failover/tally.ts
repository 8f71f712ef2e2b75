import { noAnswer } from './operation'
import type { Kind, Operation } from './operation'
import type { Round } from './round'

/** Rounds of one contender and one fault, counted. Durations in milliseconds. */
export interface Tally {
  readonly rounds: number
  readonly attempts: number
  readonly acknowledged: number
  readonly failed: number
  /** Without an answer when the run was over; counted as failed as well. */
  readonly unanswered: number
  /** How many by the name of the failure. */
  readonly failures: ReadonlyMap<string, number>
  readonly failedButWritten: number
  readonly writtenTwice: number
  /** Acknowledged by a leader that died before it could replicate: the price of asynchronous replication, nobody's fault. */
  readonly lostInReplication: number
  /** Acknowledged by the old leader when the new one was writable already. */
  readonly lostOnStaleLeader: number
  readonly staleWrites: number
  readonly latencies: readonly number[]
  /** Per round: the longest time without an acknowledgement; Infinity if there was none any more. */
  readonly blackouts: readonly number[]
  /** Per round: from the fault until the server was writable. */
  readonly downtimes: readonly number[]
  /** Per round: from then to the first acknowledgement by it; Infinity if there was none. */
  readonly firstWrites: readonly number[]
  /** Per round: how much of that went by until the contender knew; NaN if it does not say. */
  readonly notices: readonly number[]
}

export function tally(rounds: readonly Round[], kind: Kind): Tally {
  const each = rounds.map((round) => ({ round, operations: round.operations.filter((found) => found.kind === kind) }))
  const sum = (count: (operation: Operation, round: Round) => boolean): number =>
    each.reduce((total, { round, operations }) => total + operations.filter((one) => count(one, round)).length, 0)
  const all = each.flatMap(({ operations }) => operations)
  const failures = new Map<string, number>()
  for (const { failure } of all) if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1)
  const truth = kind === 'insert'
  const lost = (one: Operation, { written }: Round): boolean => truth && acknowledged(one) && !written.has(one.id)
  return {
    rounds: rounds.length,
    attempts: all.length,
    acknowledged: all.filter(acknowledged).length,
    failed: all.filter((one) => !acknowledged(one)).length,
    unanswered: failures.get(noAnswer) ?? 0,
    failures,
    failedButWritten: sum((one, { written }) => truth && !acknowledged(one) && written.has(one.id)),
    writtenTwice: sum((one, { written }) => truth && (written.get(one.id) ?? 0) > 1),
    lostInReplication: sum((one, round) => lost(one, round) && one.endedAt < round.writable.at),
    lostOnStaleLeader: sum((one, round) => lost(one, round) && one.endedAt >= round.writable.at),
    staleWrites: truth ? rounds.reduce((total, { staleWrites }) => total + staleWrites, 0) : 0,
    latencies: all.filter(acknowledged).map(({ startedAt, endedAt }) => endedAt - startedAt),
    blackouts: each.map(({ round, operations }) => blackout(round, operations)),
    downtimes: rounds.map(({ writable, faultAt }) => writable.at - faultAt),
    notices: rounds.map(
      ({ noticedAt, writable }) => (noticedAt.find((at) => at > writable.notBefore) ?? NaN) - writable.at,
    ),
    firstWrites: each.map(({ round, operations }) => firstWrite(round, operations)),
  }
}

function acknowledged({ failure }: Operation): boolean {
  return failure === undefined
}

function blackout({ stoppedAt }: Round, operations: readonly Operation[]): number {
  const ends = operations
    .filter((one) => acknowledged(one) && one.endedAt <= stoppedAt)
    .map(({ endedAt }) => endedAt)
    .sort((a, b) => a - b)
  const gaps = ends.slice(1).map((end, index) => end - ends[index]!)
  const longest = Math.max(0, ...gaps)
  return stoppedAt - (ends.at(-1) ?? 0) > longest ? Infinity : longest
}

function firstWrite({ writable, leaderPort }: Round, operations: readonly Operation[]): number {
  const ends = operations
    // After a restart the same port has acknowledged before as well.
    .filter((one) => one.port === leaderPort && one.endedAt > writable.notBefore)
    .map(({ endedAt }) => endedAt)
  return Math.min(Infinity, ...ends) - writable.at
}
