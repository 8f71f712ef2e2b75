import { describe, expect, it } from 'vitest'
import { addReport, noEvidence } from '../../../src/core/outcome/evidence'
import type { Evidence } from '../../../src/core/outcome/evidence'
import { judge } from '../../../src/core/outcome/judge'
import { parseDoubt, parseLookUp, parseReport } from './support/language'
import cases from './judge.json'

interface Group {
  readonly what: string
  readonly cases: readonly Case[]
}

interface Case {
  readonly name: string
  readonly doubt?: string
  readonly seen?: readonly string[]
  readonly answer: string
  readonly expect: string
}

describe.each(cases as readonly Group[])('$what', ({ cases: rows }) => {
  it.each(rows)('$expect: $name', ({ doubt, seen, answer, expect: expected }) => {
    const evidence = (seen ?? []).reduce((known: Evidence, text) => {
      const { host, report } = parseReport(text)
      return addReport(known, host, report)
    }, noEvidence)
    const verdict = judge(parseDoubt(doubt ?? ''), parseLookUp(answer), evidence)
    const printed = verdict.outcome === 'undecided' && verdict.own ? 'undecided, ours' : verdict.outcome
    expect(`${printed}: ${verdict.reason}`).toBe(expected)
  })
})
