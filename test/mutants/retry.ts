import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { retrySpec: spec, pool } = where

/** What may be sent again. */
export const retryMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/retry/decide.ts', [
    [
      'a statement whose query_timeout fired is never sent again',
      'if (failure.timedOut)',
      'if (failure.timedOut && failure.warned)',
      spec,
    ],
    [
      'what a pooler says of a lost server is no verdict',
      "fromPooler && code?.startsWith('08') === true",
      "fromPooler && code?.startsWith('09') === true",
      spec,
    ],
    [
      'a refusal by a host that still leads is the answer',
      'mayBeStandbyRefusal(code) && failure.demoted',
      'mayBeStandbyRefusal(code)',
      spec,
    ],
    [
      'what conflicted with recovery is sent again only if it is a read',
      'code === sqlstate.serializationFailure && statement.readOnly',
      'code === sqlstate.serializationFailure',
      spec,
    ],
    [
      'after 57P05 the statement was not executed: it is sent again',
      'if (code === sqlstate.idleSessionTimeout) {',
      "if (code === 'nothing') {",
      spec,
    ],
    [
      '57P01 after a warning proves nothing',
      'code === sqlstate.adminShutdown && !failure.warned',
      'code === sqlstate.adminShutdown',
      spec,
    ],
    [
      'CALL, DO and their like may have committed inside before 57P01',
      'if (!statement.replayable)\n      return',
      'if (!statement.replayable && statement.readOnly)\n      return',
      spec,
    ],
    [
      'a write whose connection was lost is never sent again',
      '(statement.readOnly || statement.idempotent) && statement.replayable',
      'statement.replayable',
      pool,
      'a write of unknown outcome executes at most once',
    ],
    [
      'a mark makes no procedure replayable',
      '(statement.readOnly || statement.idempotent) && statement.replayable',
      'statement.readOnly || statement.idempotent',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/retry/decide-transaction.ts', [
    [
      'whether a COMMIT that timed out took effect only the leader knows',
      'return unsent || failure.readOnly ?',
      'return true ?',
      spec,
    ],
    [
      "a reader's COMMIT that timed out need not be looked up",
      'return unsent || failure.readOnly ?',
      'return unsent ?',
      spec,
    ],
    [
      'what a pooler says of a lost server in a transaction is no verdict',
      '!connectionLost && !poolerLost) {',
      '!connectionLost) {',
      spec,
    ],
    ['a serialization failure is tried again', 'code === sqlstate.serializationFailure || ', '', spec],
    ['a deadlock is tried again', ' || code === sqlstate.deadlockDetected', '', spec],
    ['who was in the way of another one is in no hurry', 'replay(true,', 'replay(false,', spec],
    [
      'a transaction that was refused by a host that leads no more is tried again',
      'mayBeStandbyRefusal(code) && failure.demoted',
      'false',
      spec,
    ],
    [
      'a transaction that was refused by the leader is not tried again',
      'mayBeStandbyRefusal(code) && failure.demoted',
      'mayBeStandbyRefusal(code)',
      spec,
    ],
    [
      'who is idle in a transaction for too long is not to be so again',
      'code === sqlstate.idleInTransactionSessionTimeout || ',
      '',
      spec,
    ],
    [
      'who takes longer than the server allows is not tried again',
      ' || code === sqlstate.transactionTimeout',
      '',
      spec,
    ],
    [
      'what its function throws is the answer',
      'if (!connectionLost && !poolerLost) return fail',
      'if (connectionLost && code === undefined && failure.fromPooler) return fail',
      spec,
    ],
    [
      'before COMMIT nothing can have been committed',
      'if (unsent) return replay',
      "if (phase === 'begin') return replay",
      spec,
    ],
    ['after COMMIT was sent it may have been', 'if (unsent) return replay', 'if (true) return replay', spec],
    [
      "a reader's COMMIT changes nothing",
      'if (failure.readOnly) return replay',
      'if (failure.readOnly && unsent) return replay',
      spec,
    ],
    [
      '57P01 instead of an answer to COMMIT proves that there was none',
      'if (code === sqlstate.adminShutdown && !failure.warned)',
      'if (code === undefined && unsent)',
      spec,
    ],
    [
      '57P01 after a warning may come while the COMMIT waits for a standby',
      'code === sqlstate.adminShutdown && !failure.warned',
      'code === sqlstate.adminShutdown',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/retry/decide-commit.ts', [
    ["somebody's COMMIT: the refusal is the answer", '!connectionLost && !timedOut && !poolerLost', 'false', spec],
    [
      "somebody's COMMIT that timed out is looked up",
      '!connectionLost && !timedOut && !poolerLost',
      '!connectionLost && !poolerLost',
      spec,
    ],
    [
      "somebody's COMMIT that a pooler lost is looked up",
      '!connectionLost && !timedOut && !poolerLost',
      '!connectionLost && !timedOut',
      spec,
    ],
    [
      "somebody's COMMIT of what wrote nothing need not be looked up",
      'failure.wrote === false',
      'failure.wrote === null',
      spec,
    ],
    [
      "somebody's COMMIT that was answered with 57P01 did not happen",
      'if (code === sqlstate.adminShutdown &&',
      "if (code === 'nothing' &&",
      spec,
    ],
    [
      "somebody's COMMIT with 57P01 after a warning may wait for a standby",
      'code === sqlstate.adminShutdown && !failure.warned',
      'code === sqlstate.adminShutdown',
      spec,
    ],
    [
      "somebody's COMMIT without a witness was not looked at",
      'failure.wrote === undefined && failure.conclusive',
      'failure.wrote === null && failure.conclusive',
      spec,
    ],
    [
      "somebody's COMMIT whose witness has come was looked at",
      'failure.wrote === undefined && failure.conclusive',
      'failure.conclusive',
      spec,
    ],
    [
      "somebody's COMMIT: an end that says nothing proves nothing",
      'failure.wrote === undefined && failure.conclusive',
      'failure.wrote === undefined',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/retry/decide-once.ts', [
    [
      'exactlyOnce is not sent again after query_timeout',
      'if (failure.timedOut) return',
      'if (failure.timedOut && completed) return',
      spec,
    ],
    [
      'exactlyOnce: what a pooler says of a lost server is no verdict',
      '!connectionLost && !poolerLost) {\n    if (mayBe',
      '!connectionLost) {\n    if (mayBe',
      spec,
    ],
    [
      'exactlyOnce is sent again when it was refused by a host that leads no more',
      'mayBeStandbyRefusal(code) && failure.demoted',
      'false',
      spec,
    ],
    [
      'exactlyOnce is not sent again when the leader refused it',
      'mayBeStandbyRefusal(code) && failure.demoted',
      'mayBeStandbyRefusal(code)',
      spec,
    ],
    [
      'exactlyOnce: what was not sent was not executed',
      'if (!connectionLost && !poolerLost) {',
      'if (!connectionLost && !poolerLost && completed) {',
      spec,
    ],
    [
      'exactlyOnce after 57P05 was not executed',
      'if (code === sqlstate.idleSessionTimeout) {',
      "if (code === 'nothing') {",
      spec,
    ],
    [
      'exactlyOnce: the end of a session instead of an answer was no COMMIT',
      'code !== undefined && announcesShutdown(code)',
      'code === undefined && announcesShutdown(code)',
      spec,
    ],
    ['exactlyOnce: after a warning it proves nothing', ' && !poolerLost && !failure.warned', ' && !poolerLost', spec],
    [
      'exactlyOnce that was sent in another way proves nothing',
      "if (!failure.submitted) return { action: 'unknown'",
      "if (!failure.submitted && completed) return { action: 'unknown'",
      spec,
    ],
    [
      'exactlyOnce without CommandComplete was not committed',
      'if (!completed && failure.conclusive)',
      'if (completed && !failure.conclusive)',
      spec,
    ],
    [
      'exactlyOnce after CommandComplete may have been',
      'if (!completed && failure.conclusive)',
      'if (failure.conclusive)',
      spec,
    ],
    [
      'an end that says nothing of what came before it proves nothing',
      'if (!completed && failure.conclusive)',
      'if (!completed)',
      spec,
    ],
    ['only what has a witness can be looked up', "failure.witnessed ? 'look-up' : 'unknown'", "'look-up'", spec],
    ['what has a witness is looked up', "failure.witnessed ? 'look-up' : 'unknown'", "'unknown'", spec],
  ]),
  ...mutantsOf('src/core/retry/statement.ts', [
    ['CALL is not on the allow-list', "  'merge',\n", "  'merge',\n  'call',\n", spec],
    ['several statements are not sent twice', 'if (ended) return undefined', '', spec],
    ['a backslash in a literal cannot be read with certainty', ' || holdsBackslash(text, position, token)', '', spec],
  ]),
  ...mutantsOf('src/core/sql/lexer.ts', [
    ['block comments nest', 'depth += 1\n', 'depth = 1\n', spec],
    ['a dollar-quoted body is no statement', 'const end = text.indexOf(delimiter, tag)', 'const end = tag', spec],
  ]),
  ...mutantsOf('src/core/retry/sqlstate.ts', [
    ['25006 may be the refusal of a standby', '  sqlstate.readOnlySqlTransaction,\n', '', spec],
    ['XX000 may be the refusal of a standby', '  sqlstate.internalError,\n', '', spec],
    ['28xxx at connect is about the caller', "code.startsWith('28')", "code.startsWith('29')", spec],
    ['a socket error has no SQLSTATE', "|| !('severity' in error)", '', where.unit('core/retry/sqlstate')],
  ]),
  ...mutantsOf('src/core/retry/connect-failure.ts', [
    [
      'a connection that could not be made is about the host, where pg gives no code',
      'connectionWords.has(message)',
      'message.length === 0',
      spec,
    ],
  ]),
  ...mutantsOf('src/core/retry/backoff.ts', [
    [
      'a pause has an upper bound',
      'Math.min(limits.cap, limits.base',
      'Math.max(0, limits.base',
      where.unit('core/retry/backoff'),
    ],
  ]),
]
