import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { retrySpec: spec, selectionSpec, pool } = where

/** What may be sent again, and what kind of session is wanted. */
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
      "if (failure.fromPooler && code?.startsWith('08'))",
      "if (failure.fromPooler && code?.startsWith('09'))",
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
  ...mutantsOf('src/core/retry/statement.ts', [
    ['CALL is not on the allow-list', "  'merge',\n", "  'merge',\n  'call',\n", spec],
    ['several statements are not sent twice', 'if (ended) return false', '', spec],
    ['block comments nest', 'depth += 1\n', 'depth = 1\n', spec],
    [
      'a backslash in a literal cannot be read with certainty',
      'backslash >= 0 && backslash < end ? undefined : end + 1',
      'end + 1',
      spec,
    ],
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
  ...mutantsOf('src/core/selection/target-session-attrs.ts', [
    [
      'read-write needs both parameters to be off',
      'role.inHotStandby || role.defaultTransactionReadOnly',
      'role.defaultTransactionReadOnly',
      selectionSpec,
    ],
    [
      'primary asks for recovery alone',
      "return role.inHotStandby ? 'server is in hot standby mode'",
      "return readOnly ? 'server is in hot standby mode'",
      selectionSpec,
    ],
  ]),
  ...mutantsOf('src/core/selection/walk-order.ts', [
    ['prefer-standby looks for a standby first', "['standby', 'any']", "['any', 'standby']", selectionSpec],
  ]),
  ...mutantsOf('src/core/selection/shuffle.ts', [
    [
      'every order of the hosts is equally likely',
      'random() * (last + 1)',
      'random() * last',
      where.unit('core/selection/shuffle'),
    ],
  ]),
]
