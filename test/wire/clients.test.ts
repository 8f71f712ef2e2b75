import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { Pool } from '../../src/index'
import { poll } from '../support/poll'
import { after, end, fatal, notice, reset } from './support/fault'
import type { Action, Fault } from './support/fault'
import { scenes } from './support/scenes'
import type { Scene } from './support/scenes'
import { describeError, onStage } from './support/stage'
import type { AnyPool, Stage } from './support/stage'

interface Implementation {
  readonly Class: AnyPool
  readonly options: object
}

const reference: Implementation = { Class: pg.Pool, options: {} }
const ours = {
  'pg-leader': { Class: Pool, options: {} },
  'pg-leader, following': { Class: Pool, options: { targetSessionAttrs: 'read-write' } },
} satisfies Record<string, Implementation>

const endings: Readonly<Record<string, readonly Action[]>> = {
  EOF: [end],
  reset: [reset],
  'FATAL 57P01, EOF': [fatal('57P01'), end],
  'notice 57P01, EOF': [notice('57P01'), end],
}

/** A client that somebody holds is pg's own: whatever happens to it, they see what they would see with pg. */
describe.each(Object.entries(scenes))('%s, lost', (_name, scene) => {
  it.each(scene.points)('after %s: as with pg', (point) =>
    onStage(async (stage) => {
      const stories = async (implementation: Implementation): Promise<object> => {
        const told = Object.entries(endings).map(async ([how, actions]) => {
          return [how, await story(stage, implementation, scene, after(point, ...actions))] as const
        })
        return Object.fromEntries(await Promise.all(told))
      }
      const [theirs, ...rest] = await Promise.all([reference, ...Object.values(ours)].map(stories))
      expect(Object.fromEntries(Object.keys(ours).map((name, place) => [name, rest[place]]))).toEqual(
        Object.fromEntries(Object.keys(ours).map((name) => [name, theirs])),
      )
    }),
  )
})

/** What is seen of a scene in which a fault is met, and what is left of its client. */
async function story(stage: Stage, { Class, options }: Implementation, scene: Scene, fault: Fault): Promise<string[]> {
  const lines: string[] = []
  const server = await stage.server({ rowCount: 5 })
  const pool = stage.plain(Class, server, { ...scene.options, ...options })
  const client = await pool.connect()
  let ended = false
  client.on('error', (error) => lines.push(`error event: ${describeError(error)}`))
  client.on('end', () => (ended = true))
  // The first, if it is not meant, meets nothing.
  server.on(scene.meets, ...(scene.isSecond === true ? [after('statement')] : []), fault)
  lines.push(...(await scene.play(client, stage, server)))
  await poll(() => ended, { what: 'the client has ended' })
  client.release()
  lines.push(`left: ${pool.totalCount}`)
  lines.push(await stage.outcome((callback) => pool.query('select 9', callback)))
  return lines
}
