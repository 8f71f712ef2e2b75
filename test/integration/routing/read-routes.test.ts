import pg from 'pg'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { routeOfRead } from '../../../src/core/routing/read-route'
import readRoutes from '../../spec/routing/read-routes.json'
import unpinnedFunctions from '../../spec/routing/unpinned-functions.json'
import { defaultMajor } from '../../support'
import type { Host } from '../../support'
import { aStandby, useCluster } from '../pool/support/clusters'

const cluster = useCluster({ hosts: 2 })

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query(
    'create table t (a int, b int); create table u (a int); create sequence q; create materialized view m as select 1',
  )
  await cluster().waitForReplication()
})

/** A session as a reader has it. */
async function reader(host: Host): Promise<pg.Client> {
  const options = '-c default_transaction_read_only=on'
  const client = new pg.Client({ connectionString: cluster().connectionStringFor(host), options })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** The SQLSTATE that a text is refused with. */
async function refusal(client: pg.Client, text: string): Promise<string | undefined> {
  try {
    await client.query(text)
    return undefined
  } catch (error) {
    return (error as pg.DatabaseError).code
  }
}

/** How an INSERT ends behind a text, in its transaction or in the next one of its session: an SQLSTATE, or `written`. */
async function writeBehind(text: string): Promise<string> {
  const primary = await cluster().primary()
  const inserted = 'insert into t values (1)'
  if ((await refusal(await reader(primary), `${text}\n; ${inserted}`)) === undefined) return 'written'
  const session = await reader(primary)
  return (await refusal(session, text)) ?? (await refusal(session, inserted)) ?? 'written'
}

const rows = (comment: string) => readRoutes.filter((row) => row.comment.startsWith(comment))

describe('what is refused because a reader would write', () => {
  it.each(rows('measured on a primary: an INSERT behind it'))('behind $text', async ({ text }) => {
    expect(await writeBehind(text)).toBe('written')
  })

  it.each(rows('writes by itself'))('by $text', async ({ text }) => {
    expect(await refusal(await reader(await cluster().primary()), text)).toBeUndefined()
  })

  it.each(rows('measured on a primary before 16'))('before 16, behind $text', async ({ text }) => {
    expect(await writeBehind(text)).toBe(defaultMajor() < 16 ? 'written' : '0A000')
  })
})

it.each(rows('stays with one pooled session of one host, whose own settings'))(
  'a session that began read-only stays so behind $text',
  async ({ text }) => {
    expect(await writeBehind(text)).toBe('25006')
  },
)

describe('what a standby may be sent, for every reader refuses it', () => {
  it.each(rows('25006 in a read-only session'))('$text', async ({ text }) => {
    const hosts = [await cluster().primary(), await aStandby(cluster())]
    const refusals = await Promise.all(hosts.map(async (host) => refusal(await reader(host), text)))
    expect(refusals).toEqual(['25006', '25006'])
  })
})

it('it is known of every volatile function of the server where it goes', async () => {
  const functions = await (
    await cluster().primary()
  ).query<{ name: string }>(
    `select distinct proname as name from pg_proc where provolatile = 'v' and pronamespace = 'pg_catalog'::regnamespace`,
  )
  const patterns = unpinnedFunctions.flatMap(({ functions: names }) => names.map((name) => name.replace('*', '.*')))
  const unpinned = new RegExp(`^(?:${patterns.join('|')})$`)
  const unknown = functions.filter(({ name }) => {
    return unpinned.test(name) === (routeOfRead(`select ${name}('work_mem', '4MB', true)`).to !== 'standby')
  })
  expect(functions.length).toBeGreaterThan(200)
  expect(unknown).toEqual([])
})
