import { EventEmitter } from 'node:events'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createWitnessedQuery } from '../../../src/execution/witnessed-query'
import type { Sending } from '../../../src/execution/witnessed-query'
import type { Client } from '../../../src/pool/session'

/** As much of pg's Connection as a query writes to: what was sent, by the names of the messages. */
class Wire extends EventEmitter {
  readonly sent: string[] = []
  readonly parsedStatements: Record<string, string> = {}
  readonly submittedNamedStatements: Record<string, string> = {}
  readonly stream = {}
  query = (text: string): void => this.#note(`query ${text}`)
  parse = ({ text, name = '' }: { text: string; name?: string }): void => this.#note(`parse ${name}: ${text}`)
  bind = ({ statement = '' }: { statement?: string }): void => this.#note(`bind ${statement}`)
  describe = (): void => this.#note('describe')
  execute = (): void => this.#note('execute')
  flush = (): void => this.#note('flush')
  sync = (): void => this.#note('sync')

  #note(what: string): void {
    this.sent.push(what.trim())
  }
}

/** A statement that has been sent, with this witness or without. */
function submitted(config: object, question?: string | readonly string[], more: Partial<Sending> = {}) {
  const wire = new Wire()
  const answers: { error: unknown; result: unknown }[] = []
  const client = { constructor: pg.Client } as unknown as Client
  const query = createWitnessedQuery(
    client,
    { config, questions: [question ?? []].flat(), flushAfter: 'statement', ...more },
    (error, result) => answers.push({ error, result }),
  )
  const connection = wire as unknown as Parameters<typeof query.submit>[0]
  expect(query.submit(connection)).toBeNull()
  return { wire, connection, query, answers }
}

const row = (...fields: string[]): { fields: string[] } => ({ fields })
const complete = { text: 'INSERT 0 1' }

describe('a statement with a witness', () => {
  it('is one round trip: witness, statement, Flush, Sync', () => {
    const { wire, query } = submitted({ text: 'insert' }, 'who are you')
    expect(wire.sent).toEqual([
      'parse : who are you',
      'bind',
      'execute',
      'parse : insert',
      'bind',
      'describe',
      'execute',
      'flush',
      'sync',
    ])
    expect(query).toMatchObject({ submitted: true, completed: false, witness: undefined, witnessRefused: false })
  })

  it("keeps the witness's answer apart from its own", () => {
    const { connection, query, answers } = submitted({ text: 'insert' }, 'who are you')
    query.handleDataRow(row('700', '0/100'))
    query.handleCommandComplete({ text: 'SELECT 1' }, connection)
    expect(query).toMatchObject({ witness: ['700', '0/100'], completed: false })
    query.handleCommandComplete(complete, connection)
    expect(query.completed).toBe(true)
    ;(query as unknown as { handleReadyForQuery(on: unknown): void }).handleReadyForQuery(connection)
    expect(answers).toMatchObject([{ error: null, result: { command: 'INSERT', rowCount: 1, rows: [] } }])
  })

  it('has no name until the witness is over: pg would take that for the statement of that name', () => {
    const { wire, connection, query } = submitted({ name: 'add', text: 'insert' }, 'who are you')
    expect(wire.sent).toContain('parse add: insert')
    expect(query.name).toBeUndefined()
    query.handleCommandComplete({ text: 'SELECT 1' }, connection)
    expect(query.name).toBe('add')
  })

  it('whose witness was refused was not looked at: pg is not to believe that it was parsed', () => {
    const { wire, connection, query, answers } = submitted({ name: 'add', text: 'insert' }, 'who are you')
    expect(wire.submittedNamedStatements).toEqual({ add: 'insert' })
    const error = new Error('permission denied')
    query.handleError(error, connection)
    expect(query).toMatchObject({ witnessRefused: true, name: 'add' })
    expect(wire.submittedNamedStatements).toEqual({})
    expect(answers).toEqual([{ error, result: undefined }])
  })

  it('that was refused itself is not its witness', () => {
    const { wire, connection, query } = submitted({ name: 'add', text: 'insert' }, 'who are you')
    query.handleCommandComplete({ text: 'SELECT 1' }, connection)
    query.handleError(new Error('duplicate key'), connection)
    expect(query.witnessRefused).toBe(false)
    // It was parsed; what follows from an error is for pg to say.
    expect(wire.submittedNamedStatements).toEqual({ add: 'insert' })
  })
})

describe('a COMMIT with a witness', () => {
  it('is looked at when its witness has been sent', () => {
    const { wire } = submitted({ text: 'commit' }, 'who are you', { flushAfter: 'witness' })
    const commit = ['parse : commit', 'bind', 'describe', 'execute', 'sync']
    expect(wire.sent).toEqual(['parse : who are you', 'bind', 'execute', 'flush', ...commit])
  })

  it('has its witness behind other questions, of which the last one is it, with a row or without', () => {
    const { wire, connection, query } = submitted({ text: 'commit' }, ['savepoint', 'who are you'], {
      flushAfter: 'witness',
    })
    const commit = ['parse : commit', 'bind', 'describe', 'execute', 'sync']
    const questions = ['parse : savepoint', 'bind', 'execute', 'parse : who are you', 'bind', 'execute', 'flush']
    expect(wire.sent).toEqual([...questions, ...commit])
    query.handleCommandComplete({ text: 'SAVEPOINT' }, connection)
    expect(query).toMatchObject({ answered: false, completed: false })
    query.handleCommandComplete({ text: 'INSERT 0 0' }, connection)
    expect(query).toMatchObject({ answered: true, witness: undefined, completed: false })
    query.handleCommandComplete({ text: 'COMMIT' }, connection)
    expect(query.completed).toBe(true)
  })

  it('goes out as it is where there is nothing to commit when it is its turn', () => {
    const { wire, query } = submitted({ text: 'commit' }, 'who are you', {
      flushAfter: 'witness',
      applies: () => false,
    })
    expect(wire.sent).toEqual(['query commit'])
    expect(query.submitted).toBe(false)
  })
})

describe('a statement without a witness', () => {
  it('goes out with a Flush before its Sync, although it is plain text', () => {
    const { wire, connection, query } = submitted({ text: 'select 1' })
    expect(wire.sent).toEqual(['parse : select 1', 'bind', 'describe', 'execute', 'flush', 'sync'])
    query.handleCommandComplete({ text: 'SELECT 0' }, connection)
    expect(query).toMatchObject({ completed: true, witness: undefined })
  })

  it('keeps its name', () => {
    expect(submitted({ name: 'one', text: 'select 1' }).query.name).toBe('one')
  })

  it('of which an instrumentation made something else was not submitted', () => {
    const sending = { config: { text: 'select 1' }, questions: [], flushAfter: 'statement' } as const
    const client = { constructor: pg.Client } as unknown as Client
    expect(createWitnessedQuery(client, sending, () => undefined).submitted).toBe(false)
  })
})
