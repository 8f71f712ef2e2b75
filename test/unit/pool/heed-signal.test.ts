import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { heedSignal } from '../../../src/pool/heed-signal'
import type { Session } from '../../../src/pool/session'
import { beginCall } from '../../../src/pool/ticket'

type Attempt = Parameters<typeof heedSignal>[3]

/** One attempt that stays open, and what its caller is told. */
function setUp(signal: unknown) {
  const call = beginCall(0, signal as AbortSignal)
  const told: unknown[] = []
  let attempt: Parameters<Attempt> | undefined
  heedSignal(
    call,
    (error, result) => told.push(error ?? result),
    () => told.push('none'),
    (...given) => (attempt = given),
  )
  return { call, told, attempt }
}

it('without a signal the attempt calls back by itself', () => {
  const { attempt, told } = setUp(undefined)
  attempt![0](undefined, 'result')
  expect(told).toEqual(['result'])
})

it('what is no signal is refused, and one that is aborted already answered: nothing is attempted', () => {
  for (const [signal, message] of [
    [{}, /signal/],
    [AbortSignal.abort(new Error('enough')), /^enough$/],
  ] as const) {
    const { attempt, told } = setUp(signal)
    expect(attempt).toBeUndefined()
    expect(told).toHaveLength(1)
    expect((told[0] as Error).message).toMatch(message)
  }
})

it('who aborts is told at once, and once: whatever becomes of the attempt', () => {
  const controller = new AbortController()
  const { attempt, told } = setUp(controller.signal)
  const reason = new Error('enough')
  controller.abort(reason)
  expect(told).toEqual([reason])
  attempt![0](undefined, 'result')
  attempt![1]!()
  expect(told).toEqual([reason])
})

it('what has been sent is waited for', () => {
  const controller = new AbortController()
  const { call, attempt, told } = setUp(controller.signal)
  call.session = {} as Session
  controller.abort(new Error('enough'))
  expect(told).toEqual([])
  attempt![0](undefined, 'result')
  expect(told).toEqual(['result'])
})

it('nothing listens when it is over, with an answer or for want of a host', () => {
  const { signal } = new AbortController()
  for (const end of [
    (attempt: Parameters<Attempt>) => attempt[0](undefined, 1),
    (attempt: Parameters<Attempt>) => attempt[1]!(),
  ]) {
    const { attempt } = setUp(signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    end(attempt!)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  }
})
