import { describe, expect, it } from 'vitest'
import { message } from '../support/backend'
import { committed, everyDoor, goesOn, ground, insert } from './support/accounts'
import type { Door, Ground } from './support/accounts'
import { after, before, bytes, end, error, fatal, notice, poolerError, reset, silence, within } from './support/fault'
import type { Action, Fault } from './support/fault'
import { onStage } from './support/stage'
import type { Stage } from './support/stage'

const witness = /^select pg_current_xact_id/
const statement = /^insert/

/** Where in `witness · statement · Flush · Sync` something happens. */
interface Moment {
  readonly meets: RegExp
  readonly at: (...actions: readonly Action[]) => Fault
  /** What the server has let us know by then, and whether it has committed. */
  readonly knows: 'nothing' | 'the witness' | 'CommandComplete' | 'a COMMIT'
}

const moments: Readonly<Record<string, Moment>> = {
  'the witness received': { meets: witness, at: (...actions) => after('statement', ...actions), knows: 'nothing' },
  'within the witness': { meets: witness, at: (...actions) => within('dataRow', ...actions), knows: 'nothing' },
  'the witness answered': {
    meets: witness,
    at: (...actions) => after('commandComplete', ...actions),
    knows: 'the witness',
  },
  'the statement received': {
    meets: statement,
    at: (...actions) => after('statement', ...actions),
    knows: 'the witness',
  },
  'a row sent': { meets: statement, at: (...actions) => after('dataRow', ...actions), knows: 'the witness' },
  'within CommandComplete': {
    meets: statement,
    at: (...actions) => within('commandComplete', ...actions),
    knows: 'the witness',
  },
  'CommandComplete sent': {
    meets: statement,
    at: (...actions) => after('commandComplete', ...actions),
    knows: 'CommandComplete',
  },
  'Sync received': { meets: statement, at: (...actions) => after('sync', ...actions), knows: 'CommandComplete' },
  'committed, ReadyForQuery not sent': {
    meets: statement,
    at: (...actions) => before('readyForQuery', ...actions),
    knows: 'a COMMIT',
  },
  'within ReadyForQuery': {
    meets: statement,
    at: (...actions) => within('readyForQuery', ...actions),
    knows: 'a COMMIT',
  },
}

const done = (sent: number): string => `INSERT 1, sent ${sent}×, committed 1×`
const nobodyKnows = 'OutcomeUnknownError unknown, sent 0×, committed 0×'

/** What becomes of it, how often the statement arrived, and how often it was committed. */
async function once(stage: Stage, { pool, server }: Ground, more: object = {}): Promise<string> {
  const arrived = server.statements.length
  const query = { text: insert, exactlyOnce: true, ...more }
  const outcome = await stage.outcome((callback) => pool.query(query, callback))
  const sent = server.statements.slice(arrived).filter((text) => text === insert).length
  return `${outcome}, sent ${sent}×, ${committed(server)}`
}

/** A session that knows what its server is, as every one does from its second such statement on. */
async function acquainted(stage: Stage, door: Door, direct: boolean): Promise<Ground> {
  const on = await ground(stage, door, { direct })
  await on.pool.query({ text: 'select 1', exactlyOnce: true } as never)
  on.server.ledger.asked.length = 0
  return on
}

const lost: Readonly<Record<string, readonly Action[]>> = {
  EOF: [end],
  reset: [reset],
  'notice 57P01, EOF': [notice('57P01'), end],
  'notice 57P02, reset': [notice('57P02'), reset],
  'a notice before FATAL 57P01, EOF': [notice('57P01'), fatal('57P01'), end],
}
const cut: readonly string[] = ['EOF', 'reset']

describe.each(Object.entries(moments))('exactlyOnce, %s', (when, { meets, at, knows }) => {
  // Nothing can be said between two halves of a message.
  const hows = Object.entries(lost).filter(([how]) => !when.startsWith('within') || cut.includes(how))
  /** How often the statement reaches the server, until it is committed once. */
  const sent = meets === witness || knows === 'a COMMIT' ? 1 : 2

  it.each(hows)('%s on a direct path: it is committed once', (_how, actions) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await acquainted(stage, door, true)
        on.server.on(meets, at(...actions))
        expect(await once(stage, on)).toBe(done(sent))
        // The end alone says it, unless all that is missing is the COMMIT.
        const asked = knows === 'CommandComplete' || knows === 'a COMMIT' ? 1 : 0
        expect(new Set(on.server.ledger.asked).size).toBe(asked)
        await goesOn(stage, on)
      }
    }),
  )

  it.each(hows)('%s where something stands between: the end says nothing', (_how, actions) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await acquainted(stage, door, false)
        on.server.on(meets, at(...actions))
        const isKnown = knows !== 'nothing'
        expect(await once(stage, on)).toBe(isKnown ? done(sent) : nobodyKnows)
        expect(new Set(on.server.ledger.asked).size).toBe(isKnown ? 1 : 0)
      }
    }),
  )

  it('EOF, the first of its session: all depends on the witness', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      on.server.on(meets, at(end))
      expect(await once(stage, on)).toBe(knows === 'nothing' ? nobodyKnows : done(sent))
    }))

  if (knows !== 'a COMMIT' && !when.startsWith('within')) {
    it.each([
      ['FATAL 57P01, EOF', [fatal('57P01'), end]],
      ['FATAL 57P01, reset', [fatal('57P01'), reset]],
      ['FATAL 57P02, EOF', [fatal('57P02'), end]],
    ] as const)('%s: the server has not committed, wherever it is', (_how, actions) =>
      onStage(async (stage) => {
        for (const direct of [true, false]) {
          const on = await acquainted(stage, 'following', direct)
          on.server.on(meets, at(...actions))
          expect(await once(stage, on)).toBe(done(sent))
          expect(on.server.ledger.asked).toEqual([])
        }
      }),
    )

    it.each([
      ['08P01 of a pooler, the session goes on', [poolerError('08P01')]],
      ['08P01 of a pooler, EOF', [poolerError('08P01'), end]],
    ] as const)('%s: it is looked up, if it has a witness', (_how, actions) =>
      onStage(async (stage) => {
        const on = await acquainted(stage, 'following', false)
        on.server.on(meets, at(...actions))
        expect(await once(stage, on)).toBe(knows === 'nothing' ? nobodyKnows : done(sent))
      }),
    )
  }

  // Half a message and silence is a server that takes its time.
  const nonsense = { 'a message of an unknown type': message('?'), 'a DataRow without a body': message('D') }
  it.each(when.startsWith('within') ? [] : Object.entries(nonsense))(
    '%s, silence: the connection is cut, and its end says nothing',
    (_what, content) =>
      onStage(async (stage) => {
        const on = await acquainted(stage, 'following', true)
        on.server.on(meets, at(bytes(content), silence))
        expect(await once(stage, on)).toBe(knows === 'nothing' ? nobodyKnows : done(sent))
      }),
  )
})

describe('exactlyOnce, the last word has been said', () => {
  it.each(Object.entries(lost))('after ReadyForQuery, %s: it has its answer', (_how, actions) =>
    onStage(async (stage) => {
      const on = await acquainted(stage, 'following', true)
      on.server.on(statement, after('readyForQuery', ...actions))
      expect(await once(stage, on)).toBe(done(1))
      expect(on.server.ledger.asked).toEqual([])
    }),
  )
})

describe('exactlyOnce, refused', () => {
  it.each(['40001', '40P01', '23505', '25006', 'XX000', '57P01', '08006'])(
    '%s, and the session goes on: it is the answer',
    (code) =>
      onStage(async (stage) => {
        for (const door of everyDoor) {
          const on = await acquainted(stage, door, true)
          on.server.on(statement, after('statement', error(code)))
          expect(await once(stage, on)).toBe(`ERROR ${code}, sent 1×, committed 0×`)
          await goesOn(stage, on)
        }
      }),
  )

  it.each(['23505', '40001'])('%s after CommandComplete, as of a deferred trigger: it is the answer', (code) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await acquainted(stage, door, true)
        on.server.on(statement, after('sync', error(code)))
        expect(await once(stage, on)).toBe(`ERROR ${code}, sent 1×, committed 0×`)
        expect(on.server.ledger.asked).toEqual([])
      }
    }),
  )

  it.each(['42501', '42883'])('the witness, with %s: the statement goes without, then and from then on', (code) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      on.server.on(witness, after('statement', error(code)))
      expect(await once(stage, on)).toBe(done(1))
      expect(on.server.statements.filter((text) => witness.test(text))).toHaveLength(1)
      // The Flush goes still; but nothing can be looked up.
      on.server.on(statement, after('statement', end))
      expect(await once(stage, on)).toBe('OutcomeUnknownError unknown, sent 1×, committed 1×')
    }),
  )

  it.each(['25006', '0A000', '55000', 'XX000'])('%s by a host that leads no more: the next is asked', (code) =>
    onStage(async (stage) => {
      const [from, to] = [await stage.server(), await stage.server({ recovery: true })]
      const pool = stage.pool([from, to])
      await pool.connect().then((client) => client.release())
      const switchOver = (): void => {
        from.become({ recovery: true, timeline: 2 })
        to.become({ recovery: false, timeline: 2 })
      }
      from.on(statement, after('statement', switchOver, error(code)))
      expect(await once(stage, { pool, server: to })).toBe(done(1))
      expect(from.ledger.committed).toEqual([])
    }),
  )
})

describe('exactlyOnce, query_timeout', () => {
  it.each([
    { when: 'received', fault: after('statement', silence) },
    { when: 'committed', fault: before('readyForQuery', silence) },
  ])('runs out over a statement that was $when: pg’s error, and nothing is sent again', ({ fault }) =>
    onStage(async (stage) => {
      const on = await acquainted(stage, 'following', true)
      on.server.on(statement, fault)
      expect(await once(stage, on, { query_timeout: 100 })).toMatch(/^Query read timeout, sent 1×, committed [01]×$/)
      await goesOn(stage, on)
    }),
  )
})

describe('exactlyOnce, a statement that ends its server each time', () => {
  it('is sent six times and no more', () =>
    onStage(async (stage) => {
      const on = await acquainted(stage, 'following', true)
      for (let time = 0; time < 6; time += 1) on.server.on(statement, after('statement', fatal('57P01'), end))
      expect(await once(stage, on)).toBe('FATAL 57P01, sent 6×, committed 0×')
    }))
})
