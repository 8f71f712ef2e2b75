import { describe, expect, it } from 'vitest'
import { poll } from '../support/poll'
import type { FakeServer } from './support/fake-server'
import { after, end, error, silence } from './support/fault'
import { fateOf, refused } from './support/fates'
import type { Fate } from './support/fates'
import { onStage } from './support/stage'
import { anyStatement, everyWay, send } from './support/statements'

/** A statement is under way to the leader of two hosts when this happens; what becomes of it. */
function underWay(happens: (from: FakeServer, to: FakeServer) => void, fate: Fate): Promise<void> {
  return onStage(async (stage) => {
    const found = await everyWay(async (kind, protocol) => {
      const [from, to] = [await stage.server(), await stage.server({ recovery: true })]
      const pool = stage.pool([from, to], { monitor: { intervalMillis: 50, timeoutMillis: 250 } })
      await pool.connect().then((client) => client.release())
      // A read is not under way there.
      if (kind !== 'readOnly read') happens(from, to)
      const outcome = await send(stage, { pool, server: from, kind, protocol })
      return `${outcome}${to.statements.length > 0 ? ', then to the other host' : ''}`
    })
    expect(found).toEqual(fateOf(fate))
  })
}

/** The one steps down, the other one leads. */
function switchOver(from: FakeServer, to: FakeServer): void {
  from.become({ recovery: true, timeline: 2 })
  to.become({ recovery: false, timeline: 2 })
}

const toTheOther = {
  write: 'INSERT 1, sent 1×, then to the other host',
  // It was never to go to the leader: the other one is a standby.
  'readOnly read': 'SELECT 1, sent 0×, then to the other host',
  'idempotent write': 'INSERT 1, sent 1×, then to the other host',
} as const

describe('refused as standbys refuse, by a host that leads no more', () => {
  it.each(['25006', '0A000', '55000', 'XX000'])('%s: the next leader is asked', (code) =>
    underWay(
      (from, to) =>
        from.on(
          anyStatement,
          after('statement', () => switchOver(from, to), error(code)),
        ),
      { ...toTheOther, 'idempotent CALL': `ERROR ${code}, sent 1×` },
    ),
  )
})

describe('a leader that falls silent with a statement under way, and is replaced', () => {
  it('is cut: nobody knows, and what may be sent again is sent to the next leader', () => {
    const unknown = 'OutcomeUnknownError unknown, sent 1×'
    return underWay(
      (from, to) =>
        from.on(
          anyStatement,
          after('statement', silence, () => {
            from.frozen = true
            to.become({ recovery: false, timeline: 2 })
          }),
        ),
      { ...toTheOther, write: unknown, 'idempotent CALL': unknown },
    )
  })

  it('callers that come meanwhile are held and go to the next leader, in order', () =>
    onStage(async (stage) => {
      const [from, to] = [await stage.server(), await stage.server({ recovery: true })]
      const pool = stage.pool([from, to], { monitor: { intervalMillis: 50, timeoutMillis: 250 }, max: 1 })
      await pool.query('select 1')
      from.frozen = true
      await poll(() => pool.topology.leader === undefined, { what: 'the leader is in doubt' })
      const texts = ['a', 'b', 'c'].map((id) => `insert into t values ('${id}') returning n`)
      const held = texts.map((text) => stage.outcome((callback) => pool.query(text, callback)))
      to.become({ recovery: false, timeline: 2 })
      expect(await Promise.all(held)).toEqual(['INSERT 1', 'INSERT 1', 'INSERT 1'])
      expect(to.statements).toEqual(texts)
      expect(from.statements).toEqual(['select 1'])
    }))
})

describe('query_timeout', () => {
  it('runs out: pg’s error, the connection is cut and nothing is sent again', () =>
    onStage(async (stage) => {
      const found = await everyWay(async (kind, protocol) => {
        const server = await stage.server()
        const pool = stage.pool([server])
        await pool.connect().then((client) => client.release())
        server.on(anyStatement, after('statement', silence))
        const outcome = await send(stage, { pool, server, kind, protocol, more: { query_timeout: 50 } })
        await poll(() => server.pending === 0, { what: 'the statement has arrived' })
        // The monitor's is left.
        await poll(() => server.connections === 1, { what: 'the connection is cut' })
        expect(server.statements).toHaveLength(1)
        return outcome.replace(/, sent .×/, ', sent 1×')
      })
      expect(found).toEqual(fateOf(refused('Query read timeout')))
    }))
})

describe('a statement that ends its server each time', () => {
  it('is sent six times and no more', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      for (let time = 0; time < 6; time += 1) server.on(anyStatement, after('statement', end))
      const outcome = await send(stage, { pool, server, kind: 'idempotent write', protocol: 'extended' })
      expect(outcome).toBe('OutcomeUnknownError unknown, sent 6×')
    }))
})

describe('a statement that is sent again', () => {
  it('has the answer of its last time', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      server.on(anyStatement, after('statement', end), after('statement', error('23505')))
      const outcome = await send(stage, { pool, server, kind: 'idempotent write', protocol: 'simple' })
      expect(outcome).toBe('ERROR 23505, sent 2×')
    }))
})
