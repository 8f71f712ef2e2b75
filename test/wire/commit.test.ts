import { describe, expect, it } from 'vitest'
import { message } from '../support/backend'
import { committed, ground, insert } from './support/accounts'
import type { Ground } from './support/accounts'
import { after, before, bytes, end, error, fatal, notice, poolerError, reset, silence, within } from './support/fault'
import type { Action, Fault } from './support/fault'
import { onStage } from './support/stage'
import type { Stage } from './support/stage'

const witness = /pg_current_xact_id_if_assigned/
const commit = /^commit/

interface Moment {
  readonly meets: RegExp
  readonly at: (...actions: readonly Action[]) => Fault
  /** Whether the witness has come, and whether the server has committed. */
  readonly knows: 'nothing' | 'the witness' | 'a COMMIT'
}

const moments: Readonly<Record<string, Moment>> = {
  'the witness received': { meets: witness, at: (...actions) => after('statement', ...actions), knows: 'nothing' },
  'within the witness': { meets: witness, at: (...actions) => within('dataRow', ...actions), knows: 'nothing' },
  'COMMIT received': { meets: commit, at: (...actions) => after('statement', ...actions), knows: 'the witness' },
  'COMMIT executed': { meets: commit, at: (...actions) => before('commandComplete', ...actions), knows: 'a COMMIT' },
  'within CommandComplete': {
    meets: commit,
    at: (...actions) => within('commandComplete', ...actions),
    knows: 'a COMMIT',
  },
  'CommandComplete sent': {
    meets: commit,
    at: (...actions) => after('commandComplete', ...actions),
    knows: 'a COMMIT',
  },
  'within ReadyForQuery': { meets: commit, at: (...actions) => within('readyForQuery', ...actions), knows: 'a COMMIT' },
}

const config = { outcome: 'witness' } as const
const isCommitted = 'COMMIT 0, committed 1×'
const isRolledBack = 'TransactionRolledBackError aborted, committed 0×'
const isUnknown = 'OutcomeUnknownError unknown, committed 0×'

/** Somebody's own transaction: what their COMMIT comes to, and what a ROLLBACK after it is told. */
async function commitByHand(stage: Stage, { pool, server }: Ground, text = insert, more = {}): Promise<string> {
  const client = await pool.connect()
  client.on('error', () => undefined)
  await client.query('begin')
  await client.query(text)
  const outcome = await stage.outcome((callback) => client.query({ text: 'commit', ...more }, callback))
  if (/^(Trans|Outcome)/.test(outcome)) {
    expect(await stage.outcome((callback) => client.query('rollback', callback))).toBe(outcome)
  }
  client.release(true)
  return `${outcome}, ${committed(server)}`
}

describe.each(Object.entries(moments))('COMMIT with a witness, %s', (when, { meets, at, knows }) => {
  /** Its CommandComplete came through, whole: that is an answer, whatever follows. */
  const isAnswered = when === 'CommandComplete sent' || when === 'within ReadyForQuery'
  const said = { nothing: isRolledBack, 'the witness': isRolledBack, 'a COMMIT': isCommitted }[knows]
  const lost: Readonly<Record<string, readonly Action[]>> = {
    EOF: [end],
    reset: [reset],
    ...(!when.startsWith('within') && {
      'notice 57P01, EOF': [notice('57P01'), end],
      'notice 57P02, reset': [notice('57P02'), reset],
      'a notice before FATAL 57P01, EOF': [notice('57P01'), fatal('57P01'), end],
      'FATAL 57P02, EOF': [fatal('57P02'), end],
    }),
  }

  it.each(Object.entries(lost))('%s on a direct path: it is told what became of it', (_how, actions) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(meets, at(...actions))
      expect(await commitByHand(stage, on)).toBe(said)
      expect(new Set(on.server.ledger.asked).size).toBe(knows === 'nothing' || isAnswered ? 0 : 1)
    }),
  )

  it.each(Object.entries(lost))('%s where something stands between: the end says nothing', (_how, actions) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config, direct: false })
      on.server.on(meets, at(...actions))
      expect(await commitByHand(stage, on)).toBe(knows === 'nothing' ? isUnknown : said)
    }),
  )

  it.each(
    Object.entries({
      '08P01 of a pooler, the session goes on': [poolerError('08P01')],
      '08P01 of a pooler, EOF': [poolerError('08P01'), end],
      'a message of an unknown type, silence': [bytes(message('?')), silence],
    }).filter(() => !when.startsWith('within')),
  )('%s: it is looked up, if it has a witness', (_how, actions) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config, direct: false })
      on.server.on(meets, at(...actions))
      expect(await commitByHand(stage, on)).toBe(knows === 'nothing' ? isUnknown : said)
    }),
  )

  // Once it is committed the server says nothing like that before CommandComplete.
  const mayEnd = !when.startsWith('within') && when !== 'COMMIT executed'
  it.each(mayEnd ? ['EOF', 'reset'] : [])('FATAL 57P01, %s: it is undone, unless it was answered', (how) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config, direct: false })
      on.server.on(meets, at(fatal('57P01'), how === 'EOF' ? end : reset))
      expect(await commitByHand(stage, on)).toBe(said)
      expect(on.server.ledger.asked).toEqual([])
    }),
  )

  it('EOF, of a transaction that has written nothing: pg’s own error, if the witness says so', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(meets, at(end))
      const lostAfter = isAnswered ? 'COMMIT 0, committed 0×' : 'Connection terminated unexpectedly, committed 0×'
      const expected = knows === 'nothing' ? isRolledBack : lostAfter
      expect(await commitByHand(stage, on, 'select n from t')).toBe(expected)
      expect(on.server.ledger.asked).toEqual([])
    }))
})

describe('COMMIT with a witness, answered', () => {
  it.each(['40001', '40P01', '23505', '25006', 'XX000', '57P01'])(
    '%s, and the session goes on: it is the answer',
    (code) =>
      onStage(async (stage) => {
        const on = await ground(stage, 'following', { config })
        on.server.on(commit, after('statement', error(code)))
        expect(await commitByHand(stage, on)).toBe(`ERROR ${code}, committed 0×`)
        expect(on.server.ledger.asked).toEqual([])
      }),
  )

  it('of a transaction that has failed: ROLLBACK, as ever, and without a witness', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(/^insert/, after('statement', error('23505')))
      const client = await on.pool.connect()
      await client.query('begin')
      await client.query(insert).catch(() => undefined)
      expect(await stage.outcome((callback) => client.query('commit', callback))).toBe('ROLLBACK 0')
      expect(on.server.statements.filter((text) => witness.test(text))).toEqual([])
      client.release()
    }))

  it('and only then the connection is lost: it has its answer', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(commit, after('readyForQuery', end))
      expect(await commitByHand(stage, on)).toBe(isCommitted)
      expect(on.server.ledger.asked).toEqual([])
    }))

  it.each([
    { when: 'received', fault: after('statement', silence), expected: isRolledBack },
    { when: 'executed', fault: before('commandComplete', silence), expected: isCommitted },
  ])('by silence when it was $when, and query_timeout: it is looked up', ({ fault, expected }) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(commit, fault)
      expect(await commitByHand(stage, on, insert, { query_timeout: 100 })).toBe(expected)
    }),
  )
})
