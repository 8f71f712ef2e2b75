import { describe, it } from 'vitest'
import { poll } from '../support/poll'
import { after, silence } from './support/fault'
import { onStage } from './support/stage'

/** What only monitors ask. */
const monitorQuestion = / as recovery/

describe('end() leaves nothing behind', () => {
  it('while the monitor waits for an answer over its parked session', () =>
    onStage(async (stage) => {
      const server = await stage.server()
      const pool = stage.pool([server])
      await pool.query('select 1')
      server.on(monitorQuestion, after('statement', silence))
      await poll(() => server.pending === 0, { what: 'the question has arrived' })
      await pool.end()
    }))
})
