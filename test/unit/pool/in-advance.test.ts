import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Destination } from '../../../src/pool/bound-client'
import { InAdvance } from '../../../src/pool/in-advance'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Sessions parked on these hosts, none of which leads yet; `said` is what becomes of them, in order. */
function parkedOn(...hosts: readonly string[]) {
  let leader: string | undefined
  const said: string[] = []
  const inAdvance = new InAdvance({
    available: () => leader !== undefined,
    leader: () => leader,
    generation: () => 2,
    inVain: (host) => new Error(`${host} does not lead`),
    parked: () => undefined,
  })
  const over = hosts.map((host) => {
    const destination: Destination = {
      host,
      generation: () => 1,
      signIn: { options: {}, again: () => undefined },
      timeoutMillis: 1000,
      accept: () => 'it is a standby still',
      dialling: () => () => undefined,
    }
    const way = inAdvance.destination(destination)
    const end = way.dialling((reason) => {
      said.push(reason.message)
      end()
    })
    way.park?.({ recheck: () => said.push(`${host} is asked`) })
    return { way, end }
  })
  const lead = (host: string): void => {
    leader = host
    inAdvance.recheckAll()
  }
  return { inAdvance, said, over, lead }
}

it('a session made in advance is not taken while nobody leads, whatever its server says', () => {
  const inAdvance = new InAdvance({
    available: () => false,
    leader: () => undefined,
    generation: () => 1,
    inVain: (host) => new Error(host),
    parked: () => undefined,
  })
  const destination = {
    host: 'a:1',
    generation: () => 1,
    signIn: { options: {}, again: () => undefined },
    timeoutMillis: 1,
    dialling: () => () => undefined,
  }
  const { accept } = inAdvance.destination({ ...destination, accept: () => undefined })
  expect(accept({ inHotStandby: false, defaultTransactionReadOnly: false })).toBe('its server does not lead yet')
})

describe('sessions made in advance, when somebody leads', () => {
  it('are asked one by one on the leader, and given up elsewhere only after that', () => {
    const { said, over, lead } = parkedOn('a:1', 'b:1', 'b:1', 'a:1')
    expect(said).toEqual([])
    lead('b:1')
    expect(said).toEqual(['b:1 is asked'])
    vi.advanceTimersByTime(19)
    expect(said).toEqual(['b:1 is asked', 'b:1 is asked'])
    vi.advanceTimersByTime(10)
    expect(said.slice(2)).toEqual(['a:1 does not lead', 'a:1 does not lead'])
    for (const { end } of over) end()
  })

  it('are given up at once where none of them is on the leader: that is all that their callers wait for', () => {
    const { said, lead } = parkedOn('a:1')
    lead('b:1')
    expect(said).toEqual(['a:1 does not lead'])
  })

  it('are asked once more if they had not heard of it, and nothing is left of those that are over', () => {
    const { said, over, lead } = parkedOn('b:1', 'a:1')
    lead('b:1')
    expect(over[0]?.way.accept({ inHotStandby: true, defaultTransactionReadOnly: false })).toBe('it is a standby still')
    vi.advanceTimersByTime(5)
    expect(said).toEqual(['b:1 is asked', 'b:1 is asked'])
    for (const { end } of over) end()
    vi.advanceTimersByTime(100)
    expect(said).toEqual(['b:1 is asked', 'b:1 is asked'])
  })
})
