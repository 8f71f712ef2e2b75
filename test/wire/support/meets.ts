import { expect } from 'vitest'
import type { Fate } from './fates'
import { fateOf } from './fates'
import type { Fault } from './fault'
import { onStage } from './stage'
import { anyStatement, everyWay, protocols, send } from './statements'
import type { Protocol } from './statements'

/** Sent right after: what was lost may still be among the idle, and nobody has noticed. */
const second = { text: 'select 2', readOnly: true }

/** Every kind of statement meets this fault, by each of the protocols; afterwards its pool goes on as if nothing had been. */
export function everyStatementMeets(
  fault: Fault,
  fate: Fate,
  only: readonly Protocol[] = Object.keys(protocols) as Protocol[],
): Promise<void> {
  return onStage(async (stage) => {
    const found = await everyWay(async (kind, protocol) => {
      if (!only.includes(protocol)) return fate[kind]
      const server = await stage.server()
      const pool = stage.pool([server])
      await pool.connect().then((client) => client.release())
      server.on(anyStatement, fault)
      const outcome = await send(stage, { pool, server, kind, protocol })
      expect(await stage.outcome((callback) => pool.query(second, callback))).toBe('SELECT 1')
      return outcome
    })
    expect(found).toEqual(fateOf(fate))
  })
}
