import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { dial, type Dial, type Dialling, type Parked, type SessionNews } from '../../../src/client/dial'
import { connectionOf } from '../../../src/client/pg-internals'
import { mismatch, type SessionRole } from '../../../src/core/selection/target-session-attrs'
import { FaultProxy, poll, startCluster, type Cluster, type Host } from '../../support'
import { bases } from './support/bases'
import { useTls } from './support/certificate'
import { configuration, eventsOf } from './support/configuration'
import { tellsRole } from './support/role-messages'

let cluster: Cluster
let standby: Host

beforeAll(async () => {
  cluster = await startCluster({ hosts: 2 })
  standby = cluster.hosts[1]!
}, 60_000)
afterAll(() => cluster?.stop())

/** A dial for a read-write session that met a standby, and what has been heard of it. */
interface Waiting {
  readonly client: Client
  readonly dialling: Dialling
  readonly parked: Parked
  /** The roles judged so far. */
  readonly judged: readonly SessionRole[]
  /** What the callback was called with. */
  readonly answers: readonly (Error | undefined)[]
  /** Events of the client. */
  readonly events: readonly string[]
  readonly news: readonly SessionNews[]
  /** How often `park` was called. */
  readonly parkings: readonly Parked[]
  /** Until there are so many verdicts, or an answer. */
  judgedTimes(count: number): Promise<void>
  answered(): Promise<Error | undefined>
}

async function park(
  Base: typeof Client,
  port: number,
  to: Partial<Dial> = {},
  prepare?: (client: Client) => void,
): Promise<Waiting> {
  const options = configuration(cluster, { host: '127.0.0.1', port })
  const client = new Base(options)
  const judged: SessionRole[] = []
  const answers: (Error | undefined)[] = []
  const news: SessionNews[] = []
  const parkings: Parked[] = []
  const events = eventsOf(client)
  prepare?.(client)
  const attempt: Dial = {
    options,
    where: 'db2:5432',
    timeoutMillis: 10_000,
    accept(role) {
      judged.push(role)
      return mismatch('read-write', role)
    },
    observe: (each) => void news.push(each),
    park: (parked) => void parkings.push(parked),
    ...to,
  }
  const dialling = dial(client, Base, attempt, (error) => void answers.push(error))
  onTestFinished(() => dialling.abort(new Error('the test is over')))
  await poll(() => parkings.length + answers.length > 0, { what: 'the standby was met' })
  expect(answers).toEqual([])
  return {
    client,
    dialling,
    parked: parkings[0]!,
    judged,
    answers,
    events,
    news,
    parkings,
    judgedTimes: async (count) => {
      await poll(() => judged.length >= count || answers.length > 0, { what: `${count} verdicts` })
    },
    answered: async () => {
      await poll(() => answers.length > 0, { what: 'an answer' })
      return answers[0]
    },
  }
}

const inRecovery: SessionRole = { inHotStandby: true, defaultTransactionReadOnly: false }
const leads: SessionRole = { inHotStandby: false, defaultTransactionReadOnly: false }

/** A round trip elsewhere: time in which whatever was still under way here would have been heard. */
const roundTrip = (): Promise<unknown> => standby.query('select 1')

describe.each(bases)('a parked session of $name', ({ name, Base }) => {
  it('is taken after the promotion, with one Sync, as a host is at its first look', async () => {
    const host = await cluster.addHost()
    const order: string[] = []
    let queued: Promise<unknown[]> = Promise.resolve([])
    const waiting = await park(Base, host.port, {}, (client) => {
      client.on('connect', () => order.push('connect'))
      const text = 'select pg_backend_pid() as pid, pg_is_in_recovery() as recovery, inet_server_port() as port'
      queued = client.query(text).then(({ rows }) => {
        order.push('query')
        return rows
      })
    })
    const { client, parked, judged, answers, events } = waiting
    expect({ judged, events }).toEqual({ judged: [inRecovery], events: [] })
    await cluster.promote(host)
    expect({ judged, answers, events }).toEqual({ judged: [inRecovery], answers: [], events: [] })
    parked.recheck()
    const rows = await queued
    expect(judged).toEqual([inRecovery, leads])
    expect(answers).toEqual([undefined])
    expect(order).toEqual(['connect', 'query'])
    const { processID: pid } = client as unknown as { processID: number }
    expect(rows).toEqual([{ pid, recovery: false, port: host.port }])
    // No longer parked: an ordinary client, whose recheck is nobody's and whose news is told.
    parked.recheck()
    await client.query('create temporary table t (n int)')
    await client.query('set default_transaction_read_only = on')
    expect(waiting.news).toEqual([{ type: 'role', role: { ...leads, defaultTransactionReadOnly: true } }])
    expect({ judged: judged.length, answers, parkings: waiting.parkings.length }).toEqual({
      judged: 2,
      answers: [undefined],
      parkings: 1,
    })
    await client.end()
    expect(events.filter((event) => event !== 'drain')).toEqual(['connect', 'end'])
  })

  it('stays parked while the host is a standby, however often it is asked', async () => {
    const host = await cluster.addHost()
    const { client, parked, judged, answers, events, parkings, judgedTimes, answered } = await park(Base, host.port)
    parked.recheck()
    await judgedTimes(2)
    // One is open; all the others are one more.
    parked.recheck()
    parked.recheck()
    parked.recheck()
    await judgedTimes(4)
    await roundTrip()
    expect({ judged, answers, events }).toEqual({ judged: Array(4).fill(inRecovery), answers: [], events: [] })
    expect(parkings).toHaveLength(1)
    await cluster.promote(host)
    parked.recheck()
    expect(await answered()).toBeUndefined()
    expect(judged.at(-1)).toEqual(leads)
    expect((await client.query('select pg_is_in_recovery() as recovery')).rows).toEqual([{ recovery: false }])
    await client.end()
  })

  it('is asked by query where the server does not report its role', async () => {
    const host = await cluster.addHost()
    const proxy = await FaultProxy.start(host.port, { hides: tellsRole })
    onTestFinished(() => proxy.close())
    const { client, parked, judged, answers, events, judgedTimes, answered } = await park(Base, proxy.port)
    parked.recheck()
    await judgedTimes(2)
    expect({ judged, answers, events }).toEqual({ judged: [inRecovery, inRecovery], answers: [], events: [] })
    await cluster.promote(host)
    parked.recheck()
    expect(await answered()).toBeUndefined()
    expect(judged.at(-1)).toEqual(leads)
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    await client.end()
  })

  it('fails when its host is killed, silently, and the client may be dialled again', async () => {
    const { client, parked, events, answers, answered } = await park(Base, standby.port)
    await standby.kill()
    const lost = await answered()
    expect(lost).toBeInstanceOf(Error)
    parked.recheck()
    await standby.start()
    await roundTrip()
    expect(answers).toEqual([lost])
    expect(events).toEqual([])
    expect(connectionOf(client).stream.destroyed).toBe(true)
    const options = configuration(cluster, standby)
    const again = await new Promise((resolve) =>
      dial(client, Base, { options, where: 'again', timeoutMillis: 10_000 }, resolve),
    )
    expect(again).toBeUndefined()
    await client.end()
  })

  it('fails with what the server said when it ends the session', async () => {
    const { client, events, answered } = await park(Base, standby.port)
    const { processID } = client as unknown as { processID: number }
    await standby.query('select pg_terminate_backend($1)', [processID])
    expect(await answered()).toMatchObject({ code: '57P01', severity: 'FATAL' })
    expect(events).toEqual([])
  })

  it.each(['parked', 'being asked'])('can be aborted while %s', async (state) => {
    const { client, dialling, parked, judged, answers, events } = await park(Base, standby.port)
    const reason = new Error('enough')
    if (state === 'being asked') parked.recheck()
    dialling.abort(reason)
    dialling.abort(new Error('again'))
    parked.recheck()
    await roundTrip()
    expect({ judged, answers, events }).toEqual({ judged: [inRecovery], answers: [reason], events: [] })
    expect(connectionOf(client).stream.destroyed).toBe(true)
  })

  it('has no time limit, but while it is being asked', async () => {
    const timeoutMillis = 2000
    const { client, parked, answers, judgedTimes, answered } = await park(Base, standby.port, { timeoutMillis })
    parked.recheck()
    await judgedTimes(2)
    await standby.freeze()
    try {
      await sleep(1.3 * timeoutMillis)
      expect(answers).toEqual([])
      parked.recheck()
      const late = await answered()
      expect(late).toMatchObject({ code: 'ETIMEDOUT' })
      expect(late?.message).toContain('db2:5432: the parked session got no answer within 2000 ms')
      expect(connectionOf(client).stream.destroyed).toBe(true)
    } finally {
      await standby.thaw()
    }
  })

  it.each([
    ['TCP', 'disable'],
    ['TLS', 'no-verify'],
  ])('keeps no process alive over %s, but while it is being asked', async (_, sslmode) => {
    if (sslmode !== 'disable') await useTls(standby)
    await poll(
      async () => sslmode === 'disable' || (await standby.query<{ ssl: string }>('show ssl'))[0]?.ssl === 'on',
      {
        what: 'TLS is on',
      },
    )
    const program = fileURLToPath(new URL('./support/parked-program.ts', import.meta.url))
    const module = name === 'pg 8.16' ? 'pg-8.16' : 'pg'
    const uri = cluster.connectionStringFor(standby, { sslmode })
    const child = spawn(process.execPath, ['--import', 'tsx', program, module, uri], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // A process that does not end by itself is the failure; its signal then stands where the code 0 should.
    const watchdog = setTimeout(() => child.kill('SIGKILL'), 20_000)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const ended = await once(child, 'close')
    clearTimeout(watchdog)
    expect(output.split('\n')).toEqual(['in recovery', 'parked', 'in recovery', ''])
    expect(ended).toEqual([0, null])
  })
})
