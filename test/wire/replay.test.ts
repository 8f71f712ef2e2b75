import { describe, it } from 'vitest'
import { after, end, error, fatal, notice, poolerError, reset, within } from './support/fault'
import type { Action, Point } from './support/fault'
import { aborted, answered, lost, notExecuted, refused, sentAgain } from './support/fates'
import type { Fate } from './support/fates'
import { everyStatementMeets } from './support/meets'
import type { Protocol } from './support/statements'

/** From the arrival of a statement to the last moment at which its caller does not know how it ended. */
const points: readonly Point[] = ['statement', 'rowDescription', 'dataRow', 'commandComplete']

interface Row {
  /** As the replay table has it. */
  readonly row: string
  readonly how: string
  readonly actions: readonly Action[]
  /** Default: every one. */
  readonly at?: readonly Point[]
  readonly fate: Fate
  /** Default: by every one. */
  readonly only?: readonly Protocol[]
}

/** What ends a session in the middle of a statement ends it before that is committed. */
const uncommitted: readonly Point[] = ['statement', 'rowDescription', 'dataRow']

const rows: readonly Row[] = [
  { row: 'lost without a verdict', how: 'EOF', actions: [end], fate: lost },
  { row: 'lost without a verdict', how: 'reset', actions: [reset], fate: lost },
  { row: 'lost without a verdict', how: 'notice 57P01, EOF', actions: [notice('57P01'), end], fate: lost },
  { row: 'lost without a verdict', how: 'notice 57P02, EOF', actions: [notice('57P02'), end], fate: lost },
  { row: 'lost without a verdict', how: 'notice 57P01, reset', actions: [notice('57P01'), reset], fate: lost },
  {
    row: 'lost without a verdict',
    how: 'a notice 57P01 before FATAL 57P01, EOF',
    actions: [notice('57P01'), fatal('57P01'), end],
    fate: lost,
  },
  { row: 'lost without a verdict', how: 'FATAL 57P02, EOF', actions: [fatal('57P02'), end], fate: lost },
  {
    row: 'the server ended the session',
    how: 'FATAL XX000, EOF',
    actions: [fatal('XX000'), end],
    fate: refused('FATAL XX000'),
  },
  ...[
    { how: 'EOF', actions: [fatal('57P01'), end] },
    { how: 'reset', actions: [fatal('57P01'), reset] },
  ].flatMap(({ how, actions }): Row[] => [
    { row: 'FATAL 57P01 and the connection ended', how, actions, at: uncommitted, fate: aborted },
    {
      row: 'FATAL 57P01 before the Sync that would have committed',
      how,
      actions,
      at: ['commandComplete'],
      fate: aborted,
      only: ['extended', 'named'],
    },
    {
      row: 'FATAL 57P01 when it was committed already',
      how,
      actions,
      at: ['commandComplete'],
      fate: lost,
      only: ['simple'],
    },
  ]),
  { row: '57P01 and the session goes on', how: 'raised', actions: [error('57P01')], fate: refused('ERROR 57P01') },
  { row: '57P05', how: 'EOF', actions: [fatal('57P05'), end], at: ['statement'], fate: notExecuted },
  {
    row: '57P05 and the session goes on',
    how: 'raised',
    actions: [error('57P05')],
    at: ['statement'],
    fate: refused('ERROR 57P05'),
  },
  {
    row: 'a pooler lost its server',
    how: '08P01, the session goes on',
    actions: [poolerError('08P01')],
    fate: lost,
  },
  { row: 'a pooler lost its server', how: '08P01, EOF', actions: [poolerError('08P01'), end], fate: lost },
  { row: 'a pooler lost its server', how: '08006, EOF', actions: [poolerError('08006'), end], fate: lost },
  {
    row: 'any other error of the server',
    how: '08006 of a foreign server',
    actions: [error('08006')],
    fate: refused('ERROR 08006'),
  },
  { row: 'any other error of the server', how: '23505', actions: [error('23505')], fate: refused('ERROR 23505') },
  {
    row: '40001, conflict with recovery',
    how: 'raised',
    actions: [error('40001')],
    fate: { ...refused('ERROR 40001'), 'readOnly read': sentAgain['readOnly read'] },
  },
  {
    row: '40001, conflict with recovery',
    how: 'FATAL, EOF',
    actions: [fatal('40001'), end],
    fate: { ...refused('FATAL 40001'), 'readOnly read': sentAgain['readOnly read'] },
  },
  ...['25006', '0A000', '55000', 'XX000'].map((code) => ({
    row: `${code} from a host that still leads`,
    how: 'raised',
    actions: [error(code)],
    at: ['statement'] as const,
    fate: refused(`ERROR ${code}`),
  })),
]

describe.each(rows)('$row: $how', ({ actions, at = points, fate, only }) => {
  it.each(at)('after %s', (point) => everyStatementMeets(after(point, ...actions), fate, only))
})

describe('a message that is cut in the middle', () => {
  it.each(['parseComplete', 'rowDescription', 'dataRow', 'commandComplete', 'readyForQuery'] as const)(
    'within %s',
    (point) =>
      // There is no ParseComplete in the simple protocol, and none of a statement that is prepared already.
      point === 'parseComplete'
        ? everyStatementMeets(within(point, end), lost, ['extended', 'named'])
        : everyStatementMeets(within(point, end), lost),
  )
})

describe('the last word has been said', () => {
  it.each([
    { how: 'EOF', actions: [end] },
    { how: 'reset', actions: [reset] },
    { how: 'FATAL 57P01, EOF', actions: [fatal('57P01'), end] },
    { how: 'notice 57P01, EOF', actions: [notice('57P01'), end] },
  ])('after ReadyForQuery, $how: it has its answer', ({ actions }) =>
    everyStatementMeets(after('readyForQuery', ...actions), answered),
  )
})
