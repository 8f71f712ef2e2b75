import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HostPositions } from '../../../src/pool/host-positions'
import { FakeStandby } from './support/fake-standby'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const at = (lsn: bigint, timeline = 1) => ({ lsn, timeline })

/** What becomes of a wait, and when. */
interface Waited {
  found?: boolean
  millis?: number
}

function setUp(given: ConstructorParameters<typeof FakeStandby>[0] = {}) {
  const standby = new FakeStandby(given)
  const spare = { is: true }
  const positions = new HostPositions(standby.ask, () => spare.is)
  const reaches = (wanted: { lsn: bigint; timeline: number }, millis: number): Waited => {
    const waited: Waited = {}
    const since = performance.now()
    void positions.reaches('a', wanted, millis).then((found) => {
      Object.assign(waited, { found, millis: performance.now() - since })
    })
    return waited
  }
  return { standby, spare, positions, reaches }
}

/** Both ways of waiting are the same to whoever waits. */
describe.each([
  { version: 180_001, how: 'asks again and again' },
  { version: 190_000, how: 'is told' },
])('whoever waits for a standby of version $version ($how)', ({ version }) => {
  it('goes on when it has come so far', async () => {
    const { standby, reaches, positions } = setUp({ version })
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(40)
    expect(waited).toEqual({})
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(5)
    expect(waited.found).toBe(true)
    expect(positions.has('a', at(200n))).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits no longer than he wants to', async () => {
    const { reaches } = setUp({ version })
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(94)
    expect(waited).toEqual({})
    await vi.advanceTimersByTimeAsync(7)
    expect(waited.found).toBe(false)
    expect(waited.millis).toBeLessThanOrEqual(100)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not wait where it follows another history, nor for a primary', async () => {
    const { standby, reaches } = setUp({ version, lsn: 500n, timeline: 1 })
    const waited = reaches(at(200n, 2), 100)
    await vi.advanceTimersByTimeAsync(0)
    expect(waited.found).toBe(false)
    standby.promote()
    const other = reaches(at(600n), 100)
    await vi.advanceTimersByTimeAsync(0)
    expect(other.found).toBe(false)
    expect(standby.waits).toEqual([])
  })

  it('is not served by a standby that came so far on another timeline meanwhile', async () => {
    const { standby, reaches } = setUp({ version })
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(10)
    standby.timeline = 2
    standby.replay(300n)
    await vi.advanceTimersByTimeAsync(5)
    expect(waited.found).toBe(false)
  })

  it('is not served by one that was promoted meanwhile', async () => {
    const { standby, reaches } = setUp({ version })
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(10)
    standby.promote()
    await vi.advanceTimersByTimeAsync(5)
    expect(waited.found).toBe(false)
  })
})

describe('a standby of PostgreSQL 18', () => {
  it('is never told to wait, and asked every 5 ms', async () => {
    const { standby, reaches } = setUp({ version: 180_001 })
    reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(50)
    expect(standby.questions).toBe(11)
    expect(standby.waits).toEqual([])
  })

  it('is one that can be waited for after it has been upgraded', async () => {
    const { standby, reaches } = setUp({ version: 180_001 })
    reaches(at(200n), 10)
    await vi.advanceTimersByTimeAsync(20)
    standby.version = 190_002
    reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(50)
    expect(standby.waits).not.toEqual([])
  })
})

describe('a standby of PostgreSQL 19', () => {
  it('is asked before and after it has said so, and not in between', async () => {
    const { standby, reaches } = setUp()
    const waited = reaches(at(0x1_0000_00ffn), 100)
    await vi.advanceTimersByTimeAsync(20)
    expect(standby.waits).toEqual([`wait for lsn '1/FF' with (timeout '25ms', no_throw)`])
    expect(standby.questions).toBe(1)
    standby.replay(0x1_0000_00ffn)
    await vi.advanceTimersByTimeAsync(0)
    expect(waited).toEqual({ found: true, millis: 20 })
    expect(standby.questions).toBe(2)
    expect(standby.waits).toHaveLength(1)
  })

  it('is told to wait for as long as somebody wants to, by little pieces, and never for ever', async () => {
    const { standby, reaches } = setUp()
    const waited = reaches(at(200n), 60.5)
    await vi.advanceTimersByTimeAsync(100)
    expect(waited.found).toBe(false)
    expect(standby.waits.map((text) => /'(\d+)ms'/.exec(text)![1])).toEqual(['25', '25', '10'])
    expect(standby.questions).toBe(4)
  })

  it('waits once for all who want to see the same', async () => {
    const { standby, reaches } = setUp()
    const all = Array.from({ length: 20 }, () => reaches(at(200n), 100))
    await vi.advanceTimersByTimeAsync(10)
    all.push(...Array.from({ length: 20 }, () => reaches(at(200n), 100)))
    await vi.advanceTimersByTimeAsync(10)
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(0)
    expect(all.map(({ found }) => found)).toEqual(all.map(() => true))
    expect(standby.waits).toHaveLength(1)
    expect(standby.questions).toBeLessThanOrEqual(3)
  })

  it('waits in one session at a time, whatever they want to see: each goes on when it has come as far as he wants', async () => {
    const { standby, reaches } = setUp()
    const far = reaches(at(300n), 100)
    await vi.advanceTimersByTimeAsync(1)
    const near = reaches(at(200n), 100)
    const farther = reaches(at(400n), 100)
    await vi.advanceTimersByTimeAsync(10)
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(5)
    expect([near.found, far.found, farther.found]).toEqual([true, undefined, undefined])
    standby.replay(300n)
    await vi.advanceTimersByTimeAsync(0)
    expect([far.found, farther.found]).toEqual([true, undefined])
    standby.replay(400n)
    await vi.advanceTimersByTimeAsync(5)
    expect(farther.found).toBe(true)
    expect(standby.mostOpen).toBe(1)
  })

  it('does not keep anybody for longer than he wants who comes when it waits for another', async () => {
    const { standby, reaches } = setUp()
    reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(1)
    const hasty = reaches(at(200n), 10)
    await vi.advanceTimersByTimeAsync(12)
    expect(hasty.found).toBe(false)
    expect(hasty.millis).toBeLessThanOrEqual(10)
    expect(standby.mostOpen).toBe(1)
  })

  it('is asked instead while no session can be spared', async () => {
    const { standby, spare, reaches } = setUp()
    spare.is = false
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(20)
    expect(standby.waits).toEqual([])
    expect(standby.questions).toBe(5)
    spare.is = true
    await vi.advanceTimersByTimeAsync(5)
    expect(standby.waits).toHaveLength(1)
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(0)
    expect(waited.found).toBe(true)
  })

  it.each(['42601', '0A000', '55000', '57014'])('that refuses with %s is asked from then on', async (code) => {
    const { standby, positions, reaches } = setUp()
    standby.instead = () => Promise.reject(Object.assign(new Error('no'), { severity: 'ERROR', code }))
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(20)
    expect(waited).toEqual({})
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(5)
    expect(waited.found).toBe(true)
    positions.forget('a')
    reaches(at(300n), 100)
    await vi.advanceTimersByTimeAsync(50)
    expect(standby.waits).toHaveLength(1)
  })

  it.each([
    { what: 'the session is lost', error: new Error('Connection terminated unexpectedly') },
    { what: 'it is stopped', error: Object.assign(new Error('bye'), { severity: 'FATAL', code: '57P01' }) },
    {
      what: 'it is in conflict with recovery',
      error: Object.assign(new Error('c'), { severity: 'ERROR', code: '40001' }),
    },
  ])('that was waited for when $what is asked this time, and waited for the next time', async ({ error }) => {
    const { standby, reaches } = setUp()
    standby.instead = () => Promise.reject(error)
    const waited = reaches(at(200n), 100)
    await vi.advanceTimersByTimeAsync(20)
    expect(standby.waits).toHaveLength(1)
    expect(standby.questions).toBe(6)
    standby.replay(200n)
    await vi.advanceTimersByTimeAsync(5)
    expect(waited.found).toBe(true)
    standby.instead = undefined
    reaches(at(300n), 100)
    await vi.advanceTimersByTimeAsync(5)
    expect(standby.waits).toHaveLength(2)
  })

  it.each(['success', 'not in recovery', 'whatever'])(
    'that says %s while it has not come so far is asked, without haste: there is more than one behind a pooler',
    async (status) => {
      const { standby, reaches } = setUp()
      standby.instead = () => Promise.resolve(status)
      const waited = reaches(at(200n), 100)
      await vi.advanceTimersByTimeAsync(50)
      expect(waited).toEqual({})
      expect(standby.waits).toHaveLength(1)
      expect(standby.questions).toBeLessThanOrEqual(12)
      await vi.advanceTimersByTimeAsync(50)
      expect(waited.found).toBe(false)
    },
  )
})
