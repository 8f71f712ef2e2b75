import { describe, expect, it } from 'vitest'
import { connectFailureIsAboutCaller, refusalOf } from '../../../src/core/retry/connect-failure'
import { decideRetry } from '../../../src/core/retry/decide'
import type { FailureFacts, StatementFacts } from '../../../src/core/retry/decide'
import { putFault } from '../../../src/core/selection/fault'
import { decideCommit } from '../../../src/core/retry/decide-commit'
import { decideOnce } from '../../../src/core/retry/decide-once'
import { decideTransaction } from '../../../src/core/retry/decide-transaction'
import type { TransactionFailure } from '../../../src/core/retry/decide-transaction'
import { controlsTransaction, isCommit, isReplayable, isRollback } from '../../../src/core/retry/statement'
import commits from './commits.json'
import connectFailures from './connect-failures.json'
import decisions from './decisions.json'
import once from './once.json'
import statements from './statements.json'
import transactions from './transactions.json'

describe('which texts may be sent twice', () => {
  it.each(statements)('$replayable: $text', ({ text, replayable }) => {
    expect(isReplayable(text)).toBe(replayable)
  })
})

/** The kinds of statement of the table's columns. */
const kinds: Readonly<Record<string, StatementFacts>> = {
  write: { replayable: true, readOnly: false, idempotent: false },
  call: { replayable: false, readOnly: false, idempotent: false },
  idempotent: { replayable: true, readOnly: false, idempotent: true },
  'idempotent call': { replayable: false, readOnly: false, idempotent: true },
  read: { replayable: true, readOnly: true, idempotent: false },
  'unreplayable read': { replayable: false, readOnly: true, idempotent: false },
}

/** A failure as a fixture writes it: an SQLSTATE, if there was one, and what else is known. */
function parseFailure(text: string): FailureFacts {
  const words = text.split(' ')
  return {
    sqlstate: words.find((word) => /^[0-9A-Z]{5}$/.test(word)),
    fromPooler: words.includes('pooler'),
    connectionLost: words.includes('lost'),
    warned: words.includes('warned'),
    committed: words.includes('committed'),
    timedOut: words.includes('timedOut'),
    demoted: words.includes('demoted'),
  }
}

describe.each(decisions)('$row', ({ failure, decisions: expected }) => {
  it.each(Object.entries(kinds))('%s', (kind, statement) => {
    const decision = decideRetry(statement, parseFailure(failure))
    const printed = decision.action === 'unknown' ? 'unknown' : `${decision.action} ${decision.outcome}`
    expect(printed).toBe((expected as Readonly<Record<string, string>>)[kind])
    expect(decision.reason).toMatch(/\w/)
  })
})

describe('a transaction that failed', () => {
  it.each(transactions)('$row: $expect', ({ failure, expect: expected }) => {
    const words = failure.split(' ')
    const phase = words[0] as TransactionFailure['phase']
    const decision = decideTransaction({ ...parseFailure(failure), phase, readOnly: words.includes('readOnly') })
    const outcome = decision.action === 'look-up' ? '' : ` ${decision.outcome}`
    const backOff = decision.action === 'replay' && decision.backOff ? ', backing off' : ''
    expect(`${decision.action}${outcome}${backOff}`).toBe(expected)
    expect(decision.reason).toMatch(/\w/)
  })
})

describe('a statement that is to be executed exactly once', () => {
  it.each(once)('$row: $expect', ({ failure, expect: expected }) => {
    const words = failure.split(' ')
    const decision = decideOnce({
      ...parseFailure(failure),
      submitted: words.includes('submitted'),
      completed: words.includes('completed'),
      witnessed: words.includes('witnessed'),
      conclusive: words.includes('conclusive'),
    })
    expect('outcome' in decision ? `${decision.action} ${decision.outcome}` : decision.action).toBe(expected)
    expect(decision.reason).toMatch(/\w/)
  })
})

describe('a COMMIT with a witness', () => {
  it.each(commits)('$row: $expect', ({ failure, expect: expected }) => {
    const words = failure.split(' ')
    const wrote = words.includes('witnessed') ? true : words.includes('read') ? false : undefined
    const decision = decideCommit({
      ...parseFailure(failure),
      submitted: !words.includes('rewritten'),
      wrote,
      completed: words.includes('completed'),
      conclusive: words.includes('conclusive'),
    })
    expect(decision.action).toBe(expected)
    expect(decision.reason).toMatch(/\w/)
  })
})

describe('which texts begin or end a transaction', () => {
  it.each([
    ['BEGIN', true],
    ['start transaction read only', true],
    ['/* a; */ -- b\n commit work;', true],
    ['End', true],
    ['ABORT', true],
    ['rollback', true],
    ['rollback and chain', true],
    ['rollback to savepoint a', false],
    ['ROLLBACK WORK TO a', false],
    ['rollback transaction to savepoint a', false],
    ["prepare transaction 'x'", true],
    ['prepare x as select 1', false],
    ['savepoint a', false],
    ['release savepoint a', false],
    ["insert into t values ('commit')", false],
    ['', false],
  ])('%j: %s', (text, controls) => {
    expect(controlsTransaction(text)).toBe(controls)
  })
})

describe('which texts commit, and begin nothing new', () => {
  it.each([
    ['commit', true],
    ['COMMIT;', true],
    ['/* drizzle */ Commit -- now\n', true],
    ['commit work', true],
    ['end', true],
    ['end transaction', true],
    ['commit and no chain', true],
    ['commit transaction and no chain', true],
    ['commit and chain', false],
    ['commit work and chain', false],
    ["commit prepared 'x'", false],
    ['release savepoint a', false],
    ['rollback', false],
    ['commit; begin', false],
    ['select 1; commit', false],
    ['', false],
    [`commit ${' '.repeat(600)}`, false],
  ])('%j: %s', (text, commits) => {
    expect(isCommit(text)).toBe(commits)
  })
})

describe('which texts roll back', () => {
  it.each([
    ['rollback', true],
    ['/* ORM */ ROLLBACK WORK;', true],
    ['abort', true],
    ['rollback to savepoint a', false],
    ['rollback work to a', false],
    ['commit', false],
    ['begin', false],
    ['rollback; begin', false],
    ['', false],
  ])('%j: %s', (text, rollsBack) => {
    expect(isRollback(text)).toBe(rollsBack)
  })
})

describe('whether a failure to connect is about the caller', () => {
  it.each(connectFailures)('$aboutCaller: $name', ({ code, message, aboutCaller }) => {
    expect(connectFailureIsAboutCaller({ ...(code !== undefined && { code }), message })).toBe(aboutCaller)
  })

  it.each(['caller', 'host'] as const)('takes the word of whoever raised it: %s', (whose) => {
    const error = putFault(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), whose)
    expect(connectFailureIsAboutCaller(error)).toBe(whose === 'caller')
  })

  it('knows nothing of what is not an error', () => {
    expect(connectFailureIsAboutCaller({})).toBe(false)
  })
})

describe('whether a failure to connect says that no server is at work there', () => {
  it.each([
    ['nobody listens', { code: 'ECONNREFUSED', syscall: 'connect' }, 'nobody'],
    ['no name of its led to anybody who listens', { code: 'ECONNREFUSED', errors: [] }, 'nobody'],
    ['its Unix socket is gone', { code: 'ENOENT', syscall: 'connect' }, 'nobody'],
    ['it starts or stops', { code: '57P03', severity: 'FATAL' }, 'postmaster'],
    ['a certificate of ours is missing', { code: 'ENOENT', syscall: 'open' }, undefined],
    ['it does not answer', { code: 'ETIMEDOUT' }, undefined],
    ['it is full', { code: '53300', severity: 'FATAL' }, undefined],
    ['nothing is known', undefined, undefined],
  ])('%s', (_what, error, by) => {
    expect(refusalOf(error)).toBe(by)
  })
})
