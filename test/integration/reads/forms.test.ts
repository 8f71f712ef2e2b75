import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pool } from '../../../src/index'
import { sent } from '../parsed/support/recorder'
import { useCluster } from '../pool/support/clusters'
import { forms, formsOnOneClient } from './support/forms'
import { kinds, openOn } from './support/kinds'
import { byStatement, onOneClient, plainly } from './support/ways'

const cluster = useCluster({ hosts: 2 })
/** pg alone, on the primary, in sessions that refuse to write. */
let plain: pg.Pool

beforeAll(async () => {
  const primary = await cluster().primary()
  await primary.query(`create table things (id int, name text, at timestamptz); create sequence numbers;
    insert into things values (1, 'a', '2026-01-01'), (2, null, null), (3, 'c', '2026-03-03')`)
  await cluster().waitForReplication()
  plain = new pg.Pool({
    connectionString: cluster().connectionStringFor(primary),
    options: '-c default_transaction_read_only=on',
  })
})

afterAll(() => plain.end())

const ways = [
  ...Object.entries(byStatement).map(([name, way]) => ({ name, way, all: forms })),
  ...Object.entries(onOneClient).map(([name, way]) => ({ name, way, all: { ...forms, ...formsOnOneClient } })),
]
const rows = ways.flatMap(({ name, way, all }) => Object.entries(all).map(([form, ask]) => ({ form, name, way, ask })))

describe.each(kinds)('on %s', (kind) => {
  let pool: Pool
  let port: number

  beforeAll(async () => ({ pool, port } = await openOn(kind, cluster())))

  afterAll(() => pool.end())

  it.each(rows)('$form, by $name: what pg gets from the primary', async ({ name, way, ask }) => {
    sent.length = 0
    const answer = await way(pool, ask)
    expect([...new Set(sent.map((each) => each.port))]).toEqual([port])
    expect(answer).toEqual(await plainly[name]!(plain, ask))
  })
})
