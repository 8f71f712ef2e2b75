import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { poll } from '../support/poll'
import { dataRow, message } from '../support/backend'
import { bytes, end, fatal, notice, reset } from './support/fault'
import { onStage } from './support/stage'

const insert = 'insert into t values (1) returning n'

describe('a pool that follows, whose clients are idle', () => {
  it.each([
    { what: 'EOF', actions: [end] },
    { what: 'reset', actions: [reset] },
    { what: 'FATAL 57P01, EOF', actions: [fatal('57P01'), end] },
    { what: 'FATAL 57P05, EOF', actions: [fatal('57P05'), end] },
    { what: 'notice 57P01, EOF', actions: [notice('57P01'), end] },
    { what: 'notice 57P02, EOF', actions: [notice('57P02'), end] },
    { what: 'a message of an unknown type', actions: [bytes(message('?'))] },
    { what: 'a DataRow nobody asked for', actions: [bytes(dataRow(['1']))] },
    { what: 'a DataRow that cannot be read', actions: [bytes(message('D'))] },
  ])('$what: they are gone, and the next statement goes over another one', ({ actions }) =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      const clients = await Promise.all([1, 2, 3].map(() => pool.connect()))
      for (const client of clients) client.release()
      server.toAll(...actions)
      await poll(() => pool.totalCount === 0, { what: 'the clients are gone' })
      expect(await stage.outcome((callback) => pool.query(insert, callback))).toBe('INSERT 1')
      expect(server.statements).toEqual([insert])
      expect(pool.topology.generation).toBe(1)
    }),
  )

  it('a notice of a shutdown to everybody, and nothing more: they are not handed out again', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      const client = await pool.connect()
      server.toAll(notice('57P01'))
      const warned = new Promise((resolve) => client.once('notice', resolve))
      await warned
      client.release()
      const next = await pool.connect()
      expect(next).not.toBe(client)
      next.release()
    }))

  it('the monitor’s session alone: it makes another one, and nobody is disturbed', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      const client = await pool.connect()
      const { accepted } = server
      server.toMonitors(end)
      await poll(() => server.accepted > accepted, { what: 'the monitor is back' })
      expect((await client.query('select 1')).rowCount).toBe(1)
      client.release()
      expect(pool.topology.generation).toBe(1)
    }))
})

describe('a signal', () => {
  it('is listened to no longer than its call waits, however that ends', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const { signal } = new AbortController()
      const pool = stage.pool([server], { failoverTimeoutMillis: 100 })
      const marked = (text: string) => ({ text, signal })
      expect(await stage.outcome((callback) => pool.query(marked(insert), callback))).toBe('INSERT 1')
      const lost = stage.pool([{ port: 1 }], { failoverTimeoutMillis: 30 })
      expect(await stage.outcome((callback) => lost.query(marked(insert), callback))).toBe('08001')
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }))

  it('aborted while its call is held, ends the wait and nothing else', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      server.onEveryConnection({ point: 'startup', place: 'after', actions: [end] })
      const pool = stage.pool([server])
      const controller = new AbortController()
      const marked = { text: insert, signal: controller.signal }
      const aborted = stage.outcome((callback) => pool.query(marked, callback))
      const other = stage.outcome((callback) => pool.query(insert, callback))
      controller.abort(new Error('enough'))
      expect(await aborted).toBe('enough')
      server.heal()
      expect(await other).toBe('INSERT 1')
      expect(server.statements).toEqual([insert])
    }))
})
