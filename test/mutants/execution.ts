import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const runQuery = where.unit('execution/run-query')
const verdict = where.unit('execution/verdict')

/** The attempts of one statement. */
export const executionMutants: readonly Mutant[] = [
  ...mutantsOf('src/execution/run-query.ts', [
    ['one statement is not sent for ever', 'this.#replays < maxReplays', 'this.#replays < Infinity', runQuery],
    ['nothing is sent again after end()', ' && !this.#port.ending) {', ') {', runQuery],
    [
      'after a refusal as standbys give it the host is asked again',
      'refused && !(await this.#port.stillSuitable(session))',
      'refused',
      runQuery,
    ],
    [
      "a user's own Submittable is sent once",
      "if (typeof (marks as { submit?: unknown } | undefined)?.submit === 'function') return undefined",
      '',
      runQuery,
    ],
    [
      'a read that cannot be sent again had no effect: its error is the answer',
      'if (!unknown || this.#marks.readOnly === true) return { error }',
      'if (!unknown) return { error }',
      runQuery,
    ],
    [
      'a write of unknown outcome is an OutcomeUnknownError',
      'if (!unknown || this.#marks.readOnly === true) return { error }',
      'return { error }',
      where.pool,
      'a call that succeeded was executed, one that was refused was not',
    ],
    [
      'replays against one and the same server are not in a hurry',
      'if (this.#replays === 1 || !sameServer) return',
      'return',
      runQuery,
    ],
  ]),
  ...mutantsOf('src/execution/verdict.ts', [
    [
      '57P01 counts only if the connection really ends',
      'if (announced && !session.broken) await ended(session)',
      '',
      verdict,
    ],
    [
      'query_timeout is told from a lost connection',
      'connectionLost: session.broken && !timedOut',
      'connectionLost: session.broken',
      verdict,
    ],
    ['57P01 is no plain refusal', '!announcesShutdown(code) &&\n', '', verdict],
    ["a standby's refusal is no plain refusal", '    !mayBeStandbyRefusal(code) &&\n', '', verdict],
    ['08P01 from a pooler is no plain refusal', " || (code.startsWith('08') && isFromPooler(error))", '', verdict],
  ]),
]
