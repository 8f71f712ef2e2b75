import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HostSelectionTimeoutError, OutcomeUnknownError } from '../../../src/errors'
import { runQuery, runQueryPromise } from '../../../src/execution/run-query'
import type { QueryPort } from '../../../src/execution/run-query'
import type { Call } from '../../../src/pool/ticket'
import { FailoverStory } from '../../../src/telemetry/failover-story'
import { dialled } from '../pool/support/fake-client'

/** What an attempt ends with: a result, an error before a session was had, or one of a session that was lost or not. */
type Ending =
  { readonly result: unknown } | { readonly unsent: Error } | { readonly error: Error; readonly lost?: boolean }

const fromServer = (code: string): Error =>
  Object.assign(new Error(`the server said ${code}`), { code, severity: 'ERROR' })

/** Runs a statement whose attempts end as the list says, the last one again and again. */
function run(text: unknown, endings: readonly Ending[], more: Partial<QueryPort> = {}) {
  const { port, calls, replayed, unknown } = endingAs(endings, more)
  const answers: { error: unknown; result: unknown }[] = []
  runQuery(port, text, undefined, (error, result) => answers.push({ error, result }))
  return { calls, answers, replayed, unknown, finish: () => vi.advanceTimersByTimeAsync(10_000) }
}

function endingAs(endings: readonly Ending[], more: Partial<QueryPort> = {}) {
  const calls: Call[] = []
  const story = new FailoverStory(() => undefined)
  const port: QueryPort = {
    attempt: (call, _text, _values, callback) => {
      const ending = endings[Math.min(calls.length, endings.length - 1)]
      if (ending === undefined) throw new Error('an attempt without an ending')
      calls.push(call)
      if ('unsent' in ending) return callback(ending.unsent)
      const { session } = dialled()
      call.session = session
      if ('result' in ending) return callback(undefined, ending.result)
      session.broken = ending.lost === true
      callback(ending.error)
    },
    stillSuitable: async () => true,
    generation: 1,
    ending: false,
    story,
    ...more,
  }
  const replayed = vi.spyOn(story, 'replayed')
  const unknown = vi.spyOn(story, 'unknown')
  return { port, calls, replayed, unknown }
}

const eof = new Error('Connection terminated unexpectedly')

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('runQuery', () => {
  it('hands a result on in the same turn', () => {
    const { answers, calls } = run('select 1', [{ result: 'rows' }])
    expect(answers).toEqual([{ error: undefined, result: 'rows' }])
    expect(calls).toHaveLength(1)
  })

  it('hands the everyday refusal on, the same object, in the same turn', () => {
    const error = fromServer('23505')
    const { answers, calls } = run('insert into t values (1)', [{ error }])
    expect(answers).toEqual([{ error, result: undefined }])
    expect(answers[0]?.error).toBe(error)
    expect(calls).toHaveLength(1)
  })

  it('hands on what failed before it was sent: waiting was the business of the checkout', () => {
    const error = new Error('Waited 60000 ms')
    const { answers, calls } = run('select 1', [{ unsent: error }])
    expect(answers).toEqual([{ error, result: undefined }])
    expect(calls).toHaveLength(1)
  })

  it('does not know what became of a write whose connection was lost, and says so', async () => {
    const { answers, calls, unknown, finish } = run('insert into t values (1)', [{ error: eof, lost: true }])
    await finish()
    expect(calls).toHaveLength(1)
    expect(unknown).toHaveBeenCalledTimes(1)
    expect(answers[0]?.error).toBeInstanceOf(OutcomeUnknownError)
    expect(answers[0]?.error).toMatchObject({ code: '08007', cause: eof, outcome: 'unknown' })
    expect((answers[0]?.error as Error).message).toContain('a:1')
  })

  it.each([
    ['57P01 with the connection ended', 'insert into t values (1)', fromServer('57P01')],
    ['a read that was marked', { text: 'select 1', readOnly: true }, eof],
    ['a write that may be sent twice', { text: 'insert into t values (1)', idempotent: true }, eof],
  ])('sends again: %s', async (_name, text, error) => {
    const { answers, calls, replayed, finish } = run(text, [{ error, lost: true }, { result: 'rows' }])
    await finish()
    expect(answers).toEqual([{ error: undefined, result: 'rows' }])
    expect(calls).toHaveLength(2)
    expect(calls[1]).toBe(calls[0])
    expect(replayed).toHaveBeenCalledTimes(1)
  })

  it('asks the host after a refusal as standbys give it, and sends again only if it leads no more', async () => {
    const error = fromServer('25006')
    const still = run('insert into t values (1)', [{ error }])
    await still.finish()
    expect(still.answers).toEqual([{ error, result: undefined }])
    const asked: string[] = []
    const demoted = run('insert into t values (1)', [{ error }, { result: 'rows' }], {
      stillSuitable: async ({ host }) => {
        asked.push(host)
        return false
      },
    })
    await demoted.finish()
    expect(asked).toEqual(['a:1'])
    expect(demoted.answers).toEqual([{ error: undefined, result: 'rows' }])
  })

  it('waits for the end of the connection after 57P01; if ReadyForQuery comes instead a function had raised it', async () => {
    const error = fromServer('57P01')
    const { calls, answers, finish } = run('select f()', [{ error }])
    await vi.advanceTimersByTimeAsync(10)
    expect(answers).toEqual([])
    const connection = (calls[0]?.session?.client as unknown as { connection: NodeJS.EventEmitter }).connection
    connection.emit('readyForQuery')
    await finish()
    expect(answers).toEqual([{ error, result: undefined }])
    expect(connection.listenerCount('end') + connection.listenerCount('readyForQuery')).toBe(0)
  })

  it('gives up after five replays: a statement may end its server every time', async () => {
    const error = fromServer('57P01')
    const { answers, calls, finish } = run('select crash()', [{ error, lost: true }])
    await finish()
    expect(calls).toHaveLength(6)
    expect(answers).toEqual([{ error, result: undefined }])
  })

  it('is in no hurry to send again to a server that is still the same one, the first time excepted', async () => {
    const { calls, finish } = run('select crash()', [{ error: fromServer('57P01'), lost: true }])
    await vi.advanceTimersByTimeAsync(0)
    expect(calls).toHaveLength(2)
    await finish()
    expect(calls).toHaveLength(6)
  })

  it('a read that cannot be sent again had no effect: how its connection was lost is the answer', async () => {
    const { answers, unknown, finish } = run({ text: 'call report()', readOnly: true }, [{ error: eof, lost: true }])
    await finish()
    expect(answers).toEqual([{ error: eof, result: undefined }])
    expect(unknown).not.toHaveBeenCalled()
  })

  it('sends nothing again while the pool is ending', async () => {
    const error = fromServer('57P01')
    const { answers, calls, finish } = run('select 1', [{ error, lost: true }], { ending: true })
    await finish()
    expect(calls).toHaveLength(1)
    expect(answers).toEqual([{ error, result: undefined }])
  })

  it('sends a statement object of the user once: it has a state of its own', async () => {
    const submittable = { text: 'select 1', readOnly: true, submit: () => undefined }
    const { answers, calls, finish } = run(submittable, [{ error: eof, lost: true }])
    await finish()
    expect(calls).toHaveLength(1)
    expect(answers).toEqual([{ error: eof, result: undefined }])
  })

  it('never sends again what may have committed inside', async () => {
    const error = fromServer('57P01')
    const { answers, calls, finish } = run('call p()', [{ error, lost: true }])
    await finish()
    expect(calls).toHaveLength(1)
    expect(answers).toHaveLength(1)
  })

  it('answers also where the statement is too long for its scanner', async () => {
    const text = `insert into t values ('${'x'.repeat(2 ** 24)}')`
    const { answers, finish } = run(text, [{ error: eof, lost: true }])
    await finish()
    expect(answers).toHaveLength(1)
  })

  it('an error of ours that ends what was sent before leads to how that failed', async () => {
    const expired = new HostSelectionTimeoutError('nobody leads', { limit: 'x', waitedMillis: 1, hosts: [] })
    const { answers, calls, finish } = run({ text: 'select 1', idempotent: true }, [
      { error: eof, lost: true },
      { unsent: expired },
    ])
    expect(calls[0]?.past).toBeUndefined()
    await finish()
    expect(calls).toHaveLength(2)
    expect(calls[1]?.past?.resent).toBe(true)
    expect(answers).toEqual([{ error: expired, result: undefined }])
    expect(expired.cause).toBe(eof)
  })

  it('CALL and DO whose session was ended may have committed inside: unknown', async () => {
    const { answers, finish } = run('call settle()', [{ error: fromServer('57P01'), lost: true }])
    await finish()
    expect(answers[0]?.error).toBeInstanceOf(OutcomeUnknownError)
  })
})

describe('runQueryPromise', () => {
  it('resolves with the result, and rejects with the everyday refusal, the same object', async () => {
    const error = fromServer('23505')
    const { port, calls } = endingAs([{ result: 'rows' }, { error }])
    expect(await runQueryPromise(port, 'select 1', undefined)).toBe('rows')
    await expect(runQueryPromise(port, 'insert into t values (1)', undefined)).rejects.toBe(error)
    expect(calls).toHaveLength(2)
  })

  it('sends again, and does not know, as the other form does', async () => {
    const again = endingAs([{ error: fromServer('57P01'), lost: true }, { result: 'rows' }])
    expect(await runQueryPromise(again.port, 'insert into t values (1)', undefined)).toBe('rows')
    expect(again.calls[1]).toBe(again.calls[0])
    const lost = endingAs([{ error: eof, lost: true }])
    await expect(runQueryPromise(lost.port, 'insert into t values (1)', undefined)).rejects.toMatchObject({
      cause: eof,
    })
    expect(lost.calls).toHaveLength(1)
  })

  it('hears a ReadyForQuery that follows 57P01 in the same turn: a function had raised it', async () => {
    const error = fromServer('57P01')
    const calls: Call[] = []
    const { port } = endingAs([], {
      attempt: (call, _text, _values, callback) => {
        const { client, session } = dialled()
        call.session = session
        calls.push(call)
        callback(error)
        client.connection.emit('readyForQuery')
      },
    })
    const answer = expect(runQueryPromise(port, 'select f()', undefined)).rejects.toBe(error)
    await vi.advanceTimersByTimeAsync(10)
    await answer
    expect(calls).toHaveLength(1)
  })
})
