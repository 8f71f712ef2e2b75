import { describe, expect, it } from 'vitest'
import { ground, insert, transact } from './support/accounts'
import type { Ground } from './support/accounts'
import { after, end, error, silence } from './support/fault'
import type { Action } from './support/fault'
import type { Fate } from './support/ledger'
import { onStage } from './support/stage'
import type { Stage } from './support/stage'

const commit = /^commit/
const question = /pg_xact_status/

interface Way {
  /** Does this at the moment at which nobody knows whether it will be committed. */
  readonly lose: (on: Ground, ...actions: readonly Action[]) => void
  readonly run: (stage: Stage, on: Ground) => Promise<string>
  readonly committed: string
  /** It was rolled back: it is done again, or said. */
  readonly aborted: string
  /** `query_timeout` ran out over it. */
  readonly timedOut: string
}

const unknown = 'OutcomeUnknownError unknown'
const config = { outcome: 'witness' } as const

/** Who looks up a COMMIT; all that they are told is arranged. */
const ways: Readonly<Record<string, Way>> = {
  'pool.transaction': {
    lose: ({ server }, ...actions) => server.on(commit, after('statement', ...actions)),
    run: async (stage, on) => (await transact(stage, on)).replace(/, committed.*/, ''),
    committed: 'value, ran 1×',
    aborted: 'value, ran 2×',
    timedOut: 'value, ran 2×',
  },
  exactlyOnce: {
    lose: ({ server }, ...actions) => server.on(/^insert/, after('commandComplete', ...actions)),
    async run(stage, { pool, server }) {
      const query = { text: insert, exactlyOnce: true }
      const outcome = await stage.outcome((callback) => pool.query(query, callback))
      return `${outcome}, ran ${server.statements.filter((text) => text === insert).length}×`
    },
    committed: 'INSERT 1, ran 1×',
    aborted: 'INSERT 1, ran 2×',
    timedOut: 'Query read timeout, ran 1×',
  },
  'outcome: witness': {
    lose: ({ server }, ...actions) => server.on(commit, after('statement', ...actions)),
    async run(stage, { pool }) {
      const client = await pool.connect()
      client.on('error', () => undefined)
      await client.query('begin')
      await client.query(insert)
      const outcome = await stage.outcome((callback) => client.query('commit', callback))
      client.release(true)
      return `${outcome}, ran 1×`
    },
    committed: 'COMMIT 0, ran 1×',
    aborted: 'TransactionRolledBackError aborted, ran 1×',
    timedOut: 'TransactionRolledBackError aborted, ran 1×',
  },
}

describe.each(Object.entries(ways))('%s, looked up', (_name, way) => {
  const answers: readonly { readonly says: readonly Fate[]; readonly expected: string }[] = [
    { says: ['committed'], expected: way.committed },
    { says: ['aborted'], expected: way.aborted },
    { says: ['in the future'], expected: way.aborted },
    { says: [null], expected: `${unknown}, ran 1×` },
    { says: ['in progress', 'in progress', 'committed'], expected: way.committed },
    { says: ['in progress', 'aborted'], expected: way.aborted },
    { says: ['in progress', null], expected: `${unknown}, ran 1×` },
  ]

  it.each(answers)('$says', ({ says, expected }) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.ledger.says.push(...says)
      way.lose(on, end)
      expect(await way.run(stage, on)).toBe(expected)
      // It is its own id that is asked about, and nobody's else.
      expect(on.server.ledger.asked).toHaveLength(says.length)
      expect(new Set(on.server.ledger.asked).size).toBe(1)
    }),
  )

  it.each([
    { how: 'EOF', fault: after('statement', end) },
    { how: 'an error', fault: after('statement', error('53200')) },
  ])('the question itself ends with $how: it is asked again', ({ fault }) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      on.server.on(question, fault)
      on.server.ledger.says.push('committed')
      way.lose(on, end)
      expect(await way.run(stage, on)).toBe(way.committed)
    }),
  )

  it('another cluster answers: nobody knows', () =>
    onStage(async (stage) => {
      // The monitor does not look by itself, so that it is the look-up that finds out.
      const monitor = { intervalMillis: 600_000, timeoutMillis: 500 }
      const on = await ground(stage, 'following', { config: { ...config, monitor, failoverTimeoutMillis: 300 } })
      way.lose(on, () => on.server.become({ systemIdentifier: '8' }), end)
      on.server.ledger.says.push('committed')
      expect(await way.run(stage, on)).toBe(`${unknown}, ran 1×`)
      on.server.ledger.says.length = 0
    }))

  it('the pool is ended meanwhile: nobody knows', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      let ended: Promise<void> | undefined
      const endPool = (): void => {
        ended = on.pool.end()
      }
      on.server.on(question, after('statement', endPool, error('53200')))
      way.lose(on, end)
      expect(await way.run(stage, on)).toBe(`${unknown}, ran 1×`)
      await ended
    }))

  const restarts = {
    'clean, and the statistics are the same': { started: 2 },
    'a crash, and recovery went past it': { started: 2, replayLsn: '0/4000000' },
    'a crash, and recovery ended before it': { started: 2, replayLsn: '0/2000000' },
  } as const
  const fates: Readonly<Record<keyof typeof restarts, RegExp>> = {
    'clean, and the statistics are the same': new RegExp(`^${way.committed}$`),
    // Whether it was seen at every moment that nothing else ran there is a matter of luck on the wire.
    'a crash, and recovery went past it': new RegExp(`^(${way.committed}|${unknown}, ran 1×)$`),
    'a crash, and recovery ended before it': new RegExp(`^${way.aborted}$`),
  }
  it.each(Object.entries(restarts))('after a restart: %s', (how, role) =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config })
      way.lose(on, () => on.server.become(role), end)
      on.server.ledger.says.push('committed')
      expect(await way.run(stage, on)).toMatch(fates[how as keyof typeof restarts])
      on.server.ledger.says.length = 0
    }),
  )

  it('its session goes on without us: it is ended by hand', () =>
    onStage(async (stage) => {
      const on = await ground(stage, 'following', { config: { ...config, query_timeout: 300 } })
      // Says nothing any more, and does not notice that nobody is there.
      way.lose(on, silence)
      on.server.ledger.says.push(...Array.from({ length: 3 }, (): Fate => 'in progress'))
      expect(await way.run(stage, on)).toBe(way.timedOut)
      on.server.ledger.says.length = 0
    }))
})

describe('looked up on the host that leads now', () => {
  const again = 'value, ran 2×, committed 1×'
  const nobodyKnows = `${unknown}, ran 1×, committed 0×`
  const behind = { timeline: 2, replayLsn: '0/4000000' }

  it.each([
    { says: 'in the future', promoted: behind, expected: again },
    { says: 'aborted', promoted: behind, expected: again },
    { says: null, promoted: behind, expected: nobodyKnows },
    // The id is a stranger's: what was written there is not in this history.
    { says: 'committed', promoted: { timeline: 2, replayLsn: '0/2000000' }, expected: again },
    // Somebody led in between, and it may be theirs.
    { says: 'committed', promoted: { timeline: 3, replayLsn: '0/4000000' }, expected: nobodyKnows },
  ] as const)('says $says, promoted at $promoted.replayLsn to timeline $promoted.timeline', (row) =>
    onStage(async (stage) => {
      const [from, to] = [await stage.server(), await stage.server({ recovery: true, started: 2 })]
      const pool = stage.pool([from, to])
      await pool.connect().then((client) => client.release())
      const failOver = (): void => {
        from.become({ recovery: true, timeline: row.promoted.timeline })
        to.become({ recovery: false, ...row.promoted })
      }
      from.on(commit, after('statement', failOver, end))
      to.ledger.says.push(row.says)
      expect(await transact(stage, { pool, server: to })).toBe(row.expected)
    }),
  )
})
