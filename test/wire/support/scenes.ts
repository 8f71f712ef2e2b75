import { setImmediate as turn } from 'node:timers/promises'
import type pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { poll } from '../../support/poll'
import type { FakeServer } from './fake-server'
import type { Point } from './fault'
import { describeError } from './stage'
import type { Stage } from './stage'
import { Copy } from './submittables'

/** What somebody does with a client that they hold. */
export interface Scene {
  /** The statement that meets the fault, and the points of its conversation. */
  readonly meets: RegExp
  readonly points: readonly Point[]
  /** It is the second of these that meets it. */
  readonly isSecond?: boolean
  /** Options of the pool. */
  readonly options?: object
  /** Tells what became of it, line by line. */
  play(client: pg.PoolClient, stage: Stage, server: FakeServer): Promise<readonly string[]>
}

const select: readonly Point[] = ['statement', 'rowDescription', 'dataRow', 'commandComplete', 'readyForQuery']

/** Three statements that are queued at once. */
async function queue(client: pg.PoolClient, stage: Stage, values?: string[]): Promise<readonly string[]> {
  const texts = ['select 1', 'select 2', 'select 3']
  return Promise.all(texts.map((text) => stage.outcome((callback) => client.query(text, values ?? [], callback))))
}

/**
 * What becomes of it. pg-cursor and pg-query-stream never tell whoever waits for something that a lost connection would
 * have brought, such as the ReadyForQuery after a portal was closed.
 */
async function lineOf(client: pg.PoolClient, act: () => Promise<unknown>): Promise<string> {
  const isEnded = (): boolean => (client as unknown as { readonly _ended: boolean })._ended
  // What was told with the end has been heard two turns later: cursors take one for every answer.
  const ended = poll(isEnded, { what: 'the client has ended' })
    .then(() => turn())
    .then(() => turn())
  return Promise.race([
    act().then(
      (value) => JSON.stringify(value),
      (error: unknown) => describeError(error),
    ),
    ended.then(() => 'never told'),
  ])
}

function copy(text: string, chunks: readonly string[] = []): Scene['play'] {
  return async (client, stage) => [
    await stage.outcome((callback) => client.query(new Copy(text, chunks, callback))),
    await stage.outcome((callback) => client.query('select 1', callback)),
  ]
}

export const scenes: Readonly<Record<string, Scene>> = {
  'queued statements, simple': { meets: /select 2/, points: select, play: (client, stage) => queue(client, stage) },
  'queued statements, extended': {
    meets: /select 2/,
    points: ['parseComplete', 'bindComplete', ...select],
    play: (client, stage) => queue(client, stage, ['v']),
  },
  'pipelined statements, simple': {
    meets: /select 2/,
    points: select,
    options: { pipeline: true },
    play: (client, stage) => queue(client, stage),
  },
  'pipelined statements, extended': {
    meets: /select 2/,
    points: ['parseComplete', 'bindComplete', ...select],
    options: { pipeline: true },
    play: (client, stage) => queue(client, stage, ['v']),
  },
  'a named statement that is prepared already': {
    meets: /select 2/,
    isSecond: true,
    points: ['bindComplete', ...select],
    async play(client, stage) {
      const run = (): Promise<string> =>
        stage.outcome((callback) => client.query({ name: 'n', text: 'select 2', values: ['v'] }, callback))
      return [await run(), await run()]
    },
  },
  'a transaction, at its COMMIT': {
    meets: /^commit/,
    points: ['statement', 'commandComplete', 'readyForQuery'],
    async play(client, stage) {
      const lines: string[] = []
      for (const text of ['begin', 'insert into t values (1)', 'commit', 'select 1']) {
        lines.push(await stage.outcome((callback) => client.query(text, callback)))
      }
      return lines
    },
  },
  'COPY from the client': {
    meets: /^copy/,
    points: ['statement', 'copyResponse', 'copyReceived', 'commandComplete', 'readyForQuery'],
    play: copy('copy t from stdin', ['1\n', '2\n']),
  },
  'COPY to the client': {
    meets: /^copy/,
    points: ['statement', 'copyResponse', 'copyData', 'copyDone', 'commandComplete', 'readyForQuery'],
    play: copy('copy t to stdout'),
  },
  'COPY both ways': {
    meets: /^start/,
    points: ['statement', 'copyResponse', 'copyData', 'copyReceived', 'copyDone', 'commandComplete', 'readyForQuery'],
    play: copy('start_replication 0/0', ['feedback']),
  },
  'COPY without a stream': {
    meets: /^copy/,
    points: ['copyResponse', 'readyForQuery'],
    play: async (client, stage) => [
      await stage.outcome((callback) => client.query('copy t from stdin', callback)),
      await stage.outcome((callback) => client.query('select 1', callback)),
    ],
  },
  'a cursor': {
    meets: /select c/,
    points: ['statement', 'parseComplete', 'rowDescription', 'dataRow', 'portalSuspended', 'commandComplete'],
    async play(client) {
      const cursor = client.query(new Cursor('select c', ['v']))
      const lines: string[] = []
      for (let read = 0; read < 3; read += 1) lines.push(await lineOf(client, () => cursor.read(2)))
      return lines
    },
  },
  'a query stream': {
    meets: /select s/,
    points: ['statement', 'bindComplete', 'dataRow', 'portalSuspended', 'commandComplete'],
    async play(client) {
      const stream = client.query(new QueryStream('select s', ['v'], { batchSize: 2 }))
      const rows: unknown[] = []
      const end = await lineOf(client, async () => {
        for await (const row of stream) rows.push(row)
        return 'read'
      })
      return [JSON.stringify(rows), end, stream.errored === null ? 'no error' : describeError(stream.errored)]
    },
  },
  'a client that listens': {
    meets: /^listen/,
    points: ['statement', 'commandComplete', 'readyForQuery'],
    async play(client, stage, server) {
      const heard: string[] = []
      client.on('notification', ({ channel, payload }) => heard.push(`${channel}: ${payload ?? ''}`))
      const listening = await stage.outcome((callback) => client.query('listen news', callback))
      server.notify('news', 'first')
      const there = (): boolean => heard.length > 0 || !isUsable(client)
      await poll(there, { what: 'the notification, or the end' })
      return [listening, ...heard]
    },
  },
}

/** Whether pg would still send a statement over it. */
function isUsable(client: pg.PoolClient): boolean {
  return (client as unknown as { readonly _queryable: boolean })._queryable
}
