import { describe, expect, it } from 'vitest'
import { mismatch, targetSessionAttrs, type TargetSessionAttrs } from '../../../src/core/selection/target-session-attrs'
import table from './target-session-attrs.json'

describe('the truth table of target_session_attrs', () => {
  it.each(table)('$wanted, $session: $reason', ({ wanted, inHotStandby, defaultTransactionReadOnly, reason }) => {
    const why = mismatch(wanted as TargetSessionAttrs, { inHotStandby, defaultTransactionReadOnly })
    expect(why ?? null).toBe(reason)
  })

  it('has a row for every value and every role', () => {
    const rows = new Set(table.map((row) => `${row.wanted} ${row.inHotStandby} ${row.defaultTransactionReadOnly}`))
    expect(rows.size).toBe(targetSessionAttrs.length * 4)
  })
})
