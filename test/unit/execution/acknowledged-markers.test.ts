import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AcknowledgedMarkers } from '../../../src/execution/acknowledged-markers'
import type { Marker } from '../../../src/execution/marker'
import type { Session } from '../../../src/pool/session'
import { leaderThat } from './support/leader'

const session = {} as Session
const written = vi.fn()
const book = (): AcknowledgedMarkers => new AcknowledgedMarkers({ table: 'public.m', maxAgeMillis: 1000 }, written)
const marker = (id: string, ago = 0): Marker => ({
  id,
  made: { at: performance.now() - ago, wall: Date.now() },
  owner: undefined,
})

/** A leader that lacks these. Which ids it was asked for. */
function leaderWithout(missing: readonly string[], inRecovery = false) {
  const asked: string[][] = []
  const query = async ({ values }: { readonly values: readonly string[][] }): Promise<unknown> => {
    asked.push(values[0] ?? [])
    const found = (values[0] ?? []).filter((id) => missing.includes(id))
    return { rows: [{ in_recovery: String(inRecovery), missing: JSON.stringify(found) }] }
  }
  return { port: leaderThat(query), asked }
}

beforeEach(() => void written.mockClear())

describe('AcknowledgedMarkers', () => {
  it('counts those that the leader has not got, once, until that is told', async () => {
    const acknowledged = book()
    acknowledged.add(session, marker('a'), 'there')
    acknowledged.add(session, marker('b'), 'gone')
    acknowledged.add(session, marker('c'), undefined)
    acknowledged.add(session, undefined, 'without a marker')
    expect(written).toHaveBeenCalledTimes(3)
    const { port, asked } = leaderWithout(['b', 'c'])
    expect(await acknowledged.findLost(port)).toEqual({ count: 2, tags: ['gone'] })
    expect(await acknowledged.findLost(port)).toEqual({ count: 2, tags: ['gone'] })
    // What is there now may be gone after the next failover.
    expect(asked).toEqual([['a', 'b', 'c'], ['a']])
    acknowledged.told()
    expect(await acknowledged.findLost(port)).toEqual({ count: 0, tags: [] })
  })

  it('counts once what two failovers that are looked into at the same time find', async () => {
    const acknowledged = book()
    acknowledged.add(session, marker('b'), 'gone')
    const { port } = leaderWithout(['b'])
    const [, second] = await Promise.all([acknowledged.findLost(port), acknowledged.findLost(port)])
    expect(second).toEqual({ count: 1, tags: ['gone'] })
  })

  it('does not take what may have been deleted for its age for lost', async () => {
    const acknowledged = book()
    acknowledged.add(session, marker('old', 600), 'old')
    const { port, asked } = leaderWithout(['old'])
    expect(await acknowledged.findLost(port)).toEqual({ count: 0, tags: [] })
    expect(asked).toEqual([])
  })

  it('does not believe a standby', async () => {
    const acknowledged = book()
    acknowledged.add(session, marker('b'), undefined)
    await expect(acknowledged.findLost(leaderWithout(['b'], true).port)).rejects.toThrow('is a standby')
    expect(await acknowledged.findLost(leaderWithout([]).port)).toEqual({ count: 0, tags: [] })
  })

  it('remembers the last 10,000', async () => {
    const acknowledged = book()
    for (let id = 0; id < 25_000; id += 1) acknowledged.add(session, marker(String(id)), undefined)
    const { port, asked } = leaderWithout([])
    await acknowledged.findLost(port)
    expect([asked[0]?.length, asked[0]?.[0], asked[0]?.at(-1)]).toEqual([10_000, '15000', '24999'])
  })
})
