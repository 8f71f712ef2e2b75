import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadParser } from '../../../src/parser'
import { Pool } from '../../../src/index'
import type { QueryResult } from '../../../src/index'
import corpus from '../../spec/routing/corpus.json'
import { defaultMajor, poll } from '../../support'
import { useCluster } from '../pool/support/clusters'
import { setup, stateOf } from './support/database'
import { Recorder, sent } from './support/recorder'

const cluster = useCluster({ hosts: 2 })

/** One statement of the corpus. */
interface Entry {
  readonly to: string
  readonly text: string
  readonly comment: string
  readonly values?: readonly unknown[]
  /** Its answer depends on the clock, on chance or on a plan: of the answers no more than the columns are compared. */
  readonly fuzzy?: boolean
  /** It ends in an error. */
  readonly error?: boolean
  /** The first major that knows what is in it. */
  readonly since?: number
}

/** Where it has to go, in this order. What a standby cannot answer, an unknown function for example, the leader is asked. */
function wayOf({ to, error, since }: Entry): readonly string[] {
  const isUnknown = since !== undefined && since > defaultMajor()
  const both = to === 'refused' || to === 'asked' || (to === 'standby' && (error === true || isUnknown))
  return both ? ['standby', 'leader'] : [to]
}

let pool: Pool
/** A session like that of the pool’s on the leader, on a database that is the same. It is replaced after an error, as the pool’s is. */
let twin: pg.Client
let watchers: readonly pg.Client[]
let leaderPort: number

const on = (database: string, url: string): string => url.replace(/\/[^/?]*(?=\?|$)/, `/${database}`)

async function openTwin(): Promise<void> {
  const [primary] = cluster().hosts
  twin = new pg.Client({ connectionString: on('twin', cluster().connectionStringFor(primary!)) })
  twin.on('error', () => undefined)
  await twin.connect()
}

beforeAll(async () => {
  const [primary] = cluster().hosts
  leaderPort = primary!.port
  const url = cluster().connectionStringFor(primary!)
  const client = async (database: string): Promise<pg.Client> => {
    const made = new pg.Client({ connectionString: on(database, url) })
    await made.connect()
    return made
  }
  await primary!.query('create database base')
  const base = await client('base')
  await base.query(setup)
  await base.end()
  await primary!.query('create database app template base')
  await primary!.query('create database twin template base')
  watchers = await Promise.all([client('app'), client('twin')])
  await openTwin()
  pool = new Pool({
    connectionString: on('app', cluster().connectionString()),
    Client: Recorder,
    max: 1,
    readOnly: { routeReads: 'parsed', parser: await loadParser() },
  })
  await pool.query('select 1')
  await cluster().waitForReplication()
  await poll(() => pool.topology.hosts.some(({ role }) => role === 'standby'), { what: 'the standby has answered' })
})

afterAll(async () => {
  await Promise.all([pool, twin, ...watchers].map((each) => each.end()))
})

/** What a statement gave: results or an error, without what differs between two databases that are the same. */
async function answerOf(asked: Promise<QueryResult | QueryResult[]>, fuzzy = false): Promise<unknown> {
  try {
    const results = await asked
    return (Array.isArray(results) ? results : [results]).map(({ command, rowCount, fields, rows }) => {
      // A type that was made in each of them has another number.
      const columns = fields.map(({ name, dataTypeID }) => [name, dataTypeID < 16384 ? dataTypeID : 'own'])
      return fuzzy ? { command, columns } : { command, columns, rowCount, rows }
    })
  } catch (error) {
    const { code, message, severity } = error as pg.DatabaseError
    return { error: { code, message, severity } }
  }
}

async function states(): Promise<readonly unknown[]> {
  return Promise.all(watchers.map(async (watcher) => (await watcher.query<{ state: unknown }>(stateOf)).rows[0]!.state))
}

describe('an unmarked statement goes where the corpus says, with the answer and the effect that it has on the primary', () => {
  it.each(corpus as readonly Entry[])('$to: $text ($comment)', async (entry) => {
    const { text, values, fuzzy } = entry
    const given = values === undefined ? undefined : [...values]
    await cluster().waitForReplication()
    const before = await states()
    sent.length = 0
    const ours = await answerOf(pool.query(text, given), fuzzy)
    const ways = sent
      .filter((each) => each.text === text)
      .map(({ port }) => (port === leaderPort ? 'leader' : 'standby'))
    // What has no effect is asked of the same database.
    const direct = await answerOf((entry.to === 'standby' ? watchers[0]! : twin).query(text, given), fuzzy)
    const isError = 'error' in (direct as object)
    if (isError) {
      await twin.end()
      await openTwin()
    }
    expect(ours).toEqual(direct)
    const isUnknown = entry.since !== undefined && entry.since > defaultMajor()
    expect(isError).toBe(entry.error === true || isUnknown)
    const after = await states()
    expect(after[0]).toEqual(after[1])
    if (entry.to === 'standby') expect(after).toEqual(before)
    expect(ways).toEqual(wayOf(entry))
  })
})

it('is a corpus of that size', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(300)
})
