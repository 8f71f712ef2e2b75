import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Pool, PoolConfig } from '../../src/index'
import { poll } from '../support/poll'
import type { FakeServer } from './support/fake-server'
import { after, end, error, fatal } from './support/fault'
import { onStage } from './support/stage'
import type { Stage } from './support/stage'

const text = 'select n from t'
/** What the reads of these tests have to see. */
const wanted = { after: '1/0/5000', replayLsn: '0/5000' }

interface Cast {
  readonly leader: FakeServer
  readonly standby: FakeServer
  readonly pool: Pool
  /** WAIT FOR as it has arrived. */
  waits(): readonly string[]
  /** How often the standby was asked how far it is. */
  questions(): number
  /** A read that has to see what is wanted; which of the two has answered it. */
  read(): Promise<string>
}

/** A leader and a standby that has not come so far, of a PostgreSQL that has WAIT FOR. */
async function cast(stage: Stage, config: PoolConfig = {}, version = 190_000): Promise<Cast> {
  const leader = await stage.server({ version })
  const standby = await stage.server({ version, recovery: true, replayLsn: '0/4000' })
  const readOnly = { consistencyWaitMillis: 20_000, ...config.readOnly }
  const pool = stage.pool([leader, standby], { ...config, readOnly })
  await pool.query('select 0')
  await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby has answered' })
  const of = (pattern: RegExp): readonly string[] => standby.statements.filter((each) => pattern.test(each))
  let reads = 0
  const read = async (): Promise<string> => {
    const mine = `${text} -- ${(reads += 1)}`
    await pool.query({ text: mine, after: wanted.after })
    const [isLeader, isStandby] = [leader, standby].map(({ statements }) => statements.includes(mine))
    return isLeader ? (isStandby ? 'both' : 'leader') : 'standby'
  }
  return {
    leader,
    standby,
    pool,
    waits: () => of(/^wait for/i),
    questions: () => of(/pg_last_wal_replay_lsn/).length,
    read,
  }
}

const isWaitedFor = ({ standby }: Cast): Promise<unknown> =>
  poll(() => standby.waiters.count > 0, { what: 'it is waited for' })

describe('a standby of PostgreSQL 19 that is behind what a read has to see', () => {
  it('is told to wait, and serves the read when it has come so far', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const read = all.read()
      await isWaitedFor(all)
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
      expect(new Set(all.waits())).toEqual(new Set([`wait for lsn '0/5000' with (timeout '25ms', no_throw)`]))
      // Before each, and after the last: nothing is taken on its word.
      expect(all.questions()).toBe(all.waits().length + 1)
    }))

  it('is told so in one session, however many reads wait', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const reads = Array.from({ length: 30 }, () => all.read())
      await isWaitedFor(all)
      const { accepted } = all.standby
      expect(all.standby.waiters.count).toBe(1)
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(new Set(await Promise.all(reads))).toEqual(new Set(['standby']))
      expect(accepted).toBeLessThanOrEqual(3)
    }))

  it('is waited for no longer than consistencyWaitMillis: then the leader answers', () =>
    onStage(async (stage) => {
      const all = await cast(stage, { readOnly: { consistencyWaitMillis: 60 } })
      expect(await all.read()).toBe('leader')
      expect(all.waits().length).toBeGreaterThan(0)
    }))

  it('is asked, and never told to wait, with a single client: other reads go on', () =>
    onStage(async (stage) => {
      const all = await cast(stage, { readOnly: { max: 1 } })
      const read = all.read()
      for (let n = 0; n < 20; n += 1) await all.pool.query({ text: 'select 1', readOnly: true })
      expect(all.standby.statements.filter((each) => each === 'select 1')).toHaveLength(20)
      const asked = all.questions()
      await poll(() => all.questions() > asked + 2, { what: 'it is asked again and again' })
      expect(all.waits()).toEqual([])
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
    }))

  it('leaves the other clients of a small pool to other reads', () =>
    onStage(async (stage) => {
      const all = await cast(stage, { readOnly: { max: 2 } })
      const read = all.read()
      await isWaitedFor(all)
      for (let n = 0; n < 20; n += 1) await all.pool.query({ text: 'select 1', readOnly: true })
      expect(all.standby.statements.filter((each) => each === 'select 1')).toHaveLength(20)
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
    }))

  it('and has come so far on another timeline does not serve the read', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const read = all.read()
      await isWaitedFor(all)
      all.standby.become({ replayLsn: '0/6000', timeline: 2 })
      expect(await read).toBe('leader')
    }))

  it.each([
    { what: 'refused, in the end', fault: after('statement', error('42601')) },
    { what: 'refused as not supported', fault: after('statement', error('0A000')) },
  ])('$what: it is asked from then on, whatever is read', ({ fault }) =>
    onStage(async (stage) => {
      const all = await cast(stage)
      all.standby.on(/^wait for/i, fault)
      const read = all.read()
      await poll(() => all.questions() > 5, { what: 'it is asked again and again' })
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
      all.standby.become({ replayLsn: '0/5500' })
      const later = all.pool.query({ text: 'select later', after: '1/0/6000' })
      const asked = all.questions()
      await poll(() => all.questions() > asked + 5, { what: 'it is asked again and again' })
      all.standby.become({ replayLsn: '0/6000' })
      await later
      expect(all.standby.statements).toContain('select later')
      expect(all.waits()).toHaveLength(1)
    }),
  )

  it.each([
    { what: 'the session is lost', actions: [end] },
    { what: 'the session is ended', actions: [fatal('57P01'), end] },
    { what: 'it is in conflict with recovery', actions: [error('40001')] },
  ])('$what: the read has its answer', ({ actions }) =>
    onStage(async (stage) => {
      const all = await cast(stage)
      all.standby.on(/^wait for/i, after('statement', ...actions))
      const read = all.read()
      await poll(() => all.standby.pending === 0, { what: 'it was waited for' })
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(['standby', 'leader']).toContain(await read)
    }),
  )

  it('and is promoted meanwhile does not serve it as a standby', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const read = all.read()
      await isWaitedFor(all)
      all.standby.become({ recovery: false, timeline: 2, replayLsn: null })
      all.leader.become({ recovery: true, timeline: 2, replayLsn: '0/4000' })
      await read
      expect(all.standby.waiters.count).toBe(0)
    }))

  it('when the pool is ended nothing is left, and the read is answered', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const read = stage.outcome((callback) => all.pool.query({ text, after: wanted.after }, callback as never))
      await isWaitedFor(all)
      await all.pool.end()
      expect(await read).toBe('Cannot use a pool after calling end on the pool')
      await poll(() => all.standby.connections === 0 && all.standby.waiters.count === 0, { what: 'nobody waits' })
    }))

  it('and the caller has lost his patience: he is answered at once, and others are waited for as ever', () =>
    onStage(async (stage) => {
      const all = await cast(stage)
      const controller = new AbortController()
      const query = { text, after: wanted.after, signal: controller.signal }
      const aborted = stage.outcome((callback) => all.pool.query(query, callback as never))
      const read = all.read()
      await isWaitedFor(all)
      controller.abort(new Error('enough'))
      expect(await aborted).toBe('enough')
      expect(all.standby.waiters.count).toBeLessThanOrEqual(1)
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
      expect(all.standby.statements).not.toContain(text)
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }))
})

describe('a standby of PostgreSQL 18', () => {
  it('is asked, and never told to wait', () =>
    onStage(async (stage) => {
      const all = await cast(stage, {}, 180_001)
      const read = all.read()
      await poll(() => all.questions() > 5, { what: 'it is asked again and again' })
      all.standby.become({ replayLsn: wanted.replayLsn })
      expect(await read).toBe('standby')
      expect(all.waits()).toEqual([])
    }))
})
