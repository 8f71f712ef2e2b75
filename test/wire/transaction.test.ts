import { describe, expect, it } from 'vitest'
import { poll } from '../support/poll'
import { message } from '../support/backend'
import { everyDoor, goesOn, ground, insert, transact } from './support/accounts'
import { after, before, bytes, end, error, fatal, notice, poolerError, reset, silence, within } from './support/fault'
import type { Action, Fault, Place, Point } from './support/fault'
import { onStage } from './support/stage'

/** Where in a transaction something happens: the statement, and a point of its conversation. */
interface Moment {
  readonly meets: RegExp
  readonly place: Place
  readonly point: Point
  /** How often the function has run in the end, if it is run again for that. */
  readonly runs: number
}

const begin = /^begin/
const body = /^insert/
const commit = /^commit/

/** Before COMMIT has come to the server. */
const unsent: Readonly<Record<string, Moment>> = {
  'BEGIN received': { meets: begin, place: 'after', point: 'statement', runs: 1 },
  'BEGIN answered': { meets: begin, place: 'after', point: 'commandComplete', runs: 1 },
  'within the witness': { meets: begin, place: 'within', point: 'dataRow', runs: 1 },
  'the witness answered': { meets: begin, place: 'after', point: 'dataRow', runs: 1 },
  'in the body, received': { meets: body, place: 'after', point: 'statement', runs: 2 },
  'in the body, a row sent': { meets: body, place: 'after', point: 'dataRow', runs: 2 },
  'in the body, within CommandComplete': { meets: body, place: 'within', point: 'commandComplete', runs: 2 },
  'in the body, CommandComplete sent': { meets: body, place: 'after', point: 'commandComplete', runs: 2 },
  'COMMIT received': { meets: commit, place: 'after', point: 'statement', runs: 2 },
}

/** After the server has committed. */
const committing: Readonly<Record<string, Moment>> = {
  'COMMIT executed, CommandComplete not sent': { meets: commit, place: 'before', point: 'commandComplete', runs: 1 },
  'within CommandComplete': { meets: commit, place: 'within', point: 'commandComplete', runs: 1 },
  'CommandComplete sent': { meets: commit, place: 'after', point: 'commandComplete', runs: 1 },
  'within ReadyForQuery': { meets: commit, place: 'within', point: 'readyForQuery', runs: 1 },
}

const endings: Readonly<Record<string, readonly Action[]>> = {
  EOF: [end],
  reset: [reset],
  'notice 57P01, EOF': [notice('57P01'), end],
  'notice 57P02, reset': [notice('57P02'), reset],
  'a notice before FATAL 57P01, EOF': [notice('57P01'), fatal('57P01'), end],
  'FATAL 57P02, EOF': [fatal('57P02'), end],
  '08P01 of a pooler, the session goes on': [poolerError('08P01')],
  '08P01 of a pooler, EOF': [poolerError('08P01'), end],
  'a message of an unknown type, EOF': [bytes(message('?')), end],
  'a message of an unknown type, silence': [bytes(message('?')), silence],
  'a DataRow without a body, silence': [bytes(message('D')), silence],
}

function faultAt({ place, point }: Moment, actions: readonly Action[]): Fault {
  return { place, point, actions }
}

describe.each(Object.entries({ ...unsent, ...committing }))('pool.transaction, %s', (_when, moment) => {
  const hows = { ...endings, ...(moment.place === 'before' ? {} : { 'FATAL 57P01, EOF': [fatal('57P01'), end] }) }
  // Nothing can be said between two halves of a message but that it ends there.
  const possible = Object.entries(hows).filter(([how]) => moment.place !== 'within' || /^(EOF|reset)$/.test(how))

  it.each(possible)('%s: it is committed once', (_how, actions) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        on.server.on(moment.meets, faultAt(moment, actions))
        expect(await transact(stage, on)).toBe(`value, ran ${moment.runs}×, committed 1×`)
        await goesOn(stage, on)
      }
    }),
  )
})

describe('pool.transaction, the last word has been said', () => {
  it.each(Object.entries(endings))('after ReadyForQuery of COMMIT, %s: it has its answer', (_how, actions) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        on.server.on(commit, after('readyForQuery', ...actions))
        expect(await transact(stage, on)).toBe('value, ran 1×, committed 1×')
        expect(on.server.ledger.asked).toEqual([])
      }
    }),
  )
})

describe('pool.transaction, refused by the server', () => {
  const phases = { 'in the body': body, 'at COMMIT': commit }

  it.each(Object.entries(phases).flatMap(([when, meets]) => ['40001', '40P01'].map((code) => ({ when, meets, code }))))(
    '$code $when: it is run again, after a pause',
    ({ meets, code }) =>
      onStage(async (stage) => {
        for (const door of everyDoor) {
          const on = await ground(stage, door)
          on.server.on(meets, after('statement', error(code)), after('statement', error(code)))
          expect(await transact(stage, on)).toBe('value, ran 3×, committed 1×')
          expect(on.server.ledger.asked).toEqual([])
        }
      }),
  )

  it('40001 each time: it is the answer after maxAttempts', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      on.server.on(body, ...Array.from({ length: 3 }, () => after('statement', error('40001'))))
      expect(await transact(stage, on, undefined, { maxAttempts: 3 })).toBe('ERROR 40001, ran 3×, committed 0×')
    }))

  it.each(
    Object.entries(phases).flatMap(([when, meets]) =>
      ['23505', '57014', '57P01', '25006', '0A000', '55000', 'XX000', '08006'].map((code) => ({ when, meets, code })),
    ),
  )('$code $when, and the session goes on: it is the answer', ({ meets, code }) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      on.server.on(meets, after('statement', error(code)))
      expect(await transact(stage, on)).toBe(`ERROR ${code}, ran 1×, committed 0×`)
      await goesOn(stage, on)
    }),
  )

  it.each(['25P03', '25P04'])('FATAL %s, EOF: it took too long, and is not run again', (code) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      on.server.on(body, after('statement', fatal(code), end))
      expect(await transact(stage, on)).toBe(`FATAL ${code}, ran 1×, committed 0×`)
    }),
  )

  it.each([
    { code: '23505', expected: 'TransactionRolledBackError aborted, ran 1×, committed 0×' },
    { code: '40001', expected: 'value, ran 2×, committed 1×' },
  ])('$code that the function hides, and COMMIT says ROLLBACK', ({ code, expected }) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        on.server.on(body, after('statement', error(code)))
        expect(await transact(stage, on, (client) => client.query(insert).catch(() => undefined))).toBe(expected)
      }
    }),
  )

  it.each(['25006', '0A000', '55000', 'XX000'])('%s from a host that leads no more: it is run on the next', (code) =>
    onStage(async (stage) => {
      const [from, to] = [await stage.server(), await stage.server({ recovery: true })]
      const pool = stage.pool([from, to])
      await pool.connect().then((client) => client.release())
      const switchOver = (): void => {
        from.become({ recovery: true, timeline: 2 })
        to.become({ recovery: false, timeline: 2 })
      }
      from.on(body, after('statement', switchOver, error(code)))
      expect(await transact(stage, { pool, server: to })).toBe('value, ran 2×, committed 1×')
      expect(from.ledger.committed).toEqual([])
    }),
  )
})

describe('pool.transaction, query_timeout', () => {
  const config = { query_timeout: 250 }

  it('in the body: it is the answer, and the connection is cut', () =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door, { config })
        on.server.on(body, after('statement', silence))
        expect(await transact(stage, on)).toBe('Query read timeout, ran 1×, committed 0×')
        await goesOn(stage, on)
      }
    }))

  it.each([
    { when: 'received', fault: after('statement', silence), runs: 2 },
    { when: 'executed', fault: before('commandComplete', silence), runs: 1 },
  ])('over a COMMIT that was $when: it is looked up', ({ fault, runs }) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door, { config })
        on.server.on(commit, fault)
        expect(await transact(stage, on)).toBe(`value, ran ${runs}×, committed 1×`)
        expect(new Set(on.server.ledger.asked).size).toBe(1)
      }
    }),
  )
})

describe('pool.transaction, its function', () => {
  it('throws: nothing is committed, and nothing run again', () =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        const throwing = async (client: { query(text: string): Promise<unknown> }): Promise<never> => {
          await client.query(insert)
          throw new Error('mine')
        }
        expect(await transact(stage, on, throwing)).toBe('mine, ran 1×, committed 0×')
        expect(on.server.statements.at(-1)).toBe('rollback')
      }
    }))

  it.each(['commit', 'rollback'])('ends the transaction itself, by a %s among others: it is told', (how) =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        const byHand = (client: { query(text: string): Promise<unknown> }): Promise<unknown> =>
          client.query(`select 1; ${how}`)
        expect(await transact(stage, on, byHand)).toBe('25000, ran 1×, committed 0×')
        expect(on.server.statements).not.toContain('commit')
        await goesOn(stage, on)
      }
    }),
  )

  it('fails in words of its own for a statement that could be tried again: it is', () =>
    onStage(async (stage) => {
      for (const door of everyDoor) {
        const on = await ground(stage, door)
        on.server.on(body, after('statement', error('40001')))
        const wrapping = async (client: { query(text: string): Promise<unknown> }): Promise<void> => {
          await client.query(insert).catch(async () => {
            // The server's ReadyForQuery has come.
            await client.query('select 1').catch(() => undefined)
            throw new Error('it did not work')
          })
        }
        expect(await transact(stage, on, wrapping)).toBe('value, ran 2×, committed 1×')
      }
    }))

  it('is told of a connection that is lost while it does something else, before COMMIT is sent', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following')
      const idling = async (client: { query(text: string): Promise<unknown> }, run: number): Promise<void> => {
        await client.query(insert)
        if (run > 1) return
        on.server.toAll(end)
        await poll(() => (client as unknown as { _ended: boolean })._ended, { what: 'the end has come' })
      }
      expect(await transact(stage, on, idling)).toBe('value, ran 2×, committed 1×')
      expect(on.server.statements.filter((text) => text === 'commit')).toHaveLength(1)
    }))
})

describe('pool.transaction, readOnly', () => {
  it.each(Object.entries({ ...unsent, ...committing }))(
    '%s, EOF: it is run again, and nobody is asked',
    (_when, moment) =>
      onStage(async (stage) => {
        const on = await ground(stage, 'following')
        const meets = moment.meets === body ? /^select n/ : moment.meets
        const isReached = moment.meets !== begin || !/dataRow/.test(moment.point)
        if (isReached) on.server.on(meets, within('commandComplete', end))
        expect(await transact(stage, on, (client) => client.query('select n from t'), { readOnly: true })).toMatch(
          /^value, ran [12]×, committed 0×$/,
        )
        expect(on.server.ledger.asked).toEqual([])
      }),
  )
})
