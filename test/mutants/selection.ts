import { mutantsOf, where } from './mutant'
import type { Mutant } from './mutant'

const { selectionSpec: spec } = where

/** What kind of session is wanted, and in which order hosts are tried. */
export const selectionMutants: readonly Mutant[] = [
  ...mutantsOf('src/core/selection/target-session-attrs.ts', [
    [
      'read-write needs both parameters to be off',
      'role.inHotStandby || role.defaultTransactionReadOnly',
      'role.defaultTransactionReadOnly',
      spec,
    ],
    [
      'primary asks for recovery alone',
      "return role.inHotStandby ? 'server is in hot standby mode'",
      "return readOnly ? 'server is in hot standby mode'",
      spec,
    ],
  ]),
  ...mutantsOf('src/core/selection/walk-order.ts', [
    ['prefer-standby looks for a standby first', "['standby', 'any']", "['any', 'standby']", spec],
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
