import { describe, expect, it } from 'vitest'
import type { Position } from '../../../src/core/selection/position'
import { outsideSession, session, sessionReads, SessionReads } from '../../../src/execution/session-scope'

const at = (lsn: number, timeline = 1): Position => ({ timeline, lsn: BigInt(lsn) })

describe('what a session has to see', () => {
  it('is nothing at first', () => {
    const reads = new SessionReads()
    expect([reads.wanted, reads.hasUnknown, reads.seen]).toEqual([undefined, false, undefined])
  })

  it('is not known after a write, until the position is asked for', () => {
    const reads = new SessionReads()
    reads.wrote(10)
    expect([reads.wanted, reads.hasUnknown]).toEqual([undefined, true])
    reads.learned(at(500), 11)
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(500), false])
  })

  it('is known when it is asked for at the very moment of the write', () => {
    const reads = new SessionReads()
    reads.wrote(10)
    reads.learned(at(500), 10)
    expect(reads.hasUnknown).toBe(false)
  })

  it('stays unknown where the write is newer than the question', () => {
    const reads = new SessionReads()
    reads.wrote(10)
    reads.wrote(12)
    reads.learned(at(500), 11)
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(500), true])
    reads.learned(at(700), 13)
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(700), false])
  })

  it('never becomes less', () => {
    const reads = new SessionReads()
    reads.learned(at(700), 1)
    reads.learned(at(500), 2)
    expect(reads.wanted).toEqual(at(700))
    reads.learned(at(100, 2), 3)
    expect(reads.wanted).toEqual(at(100, 2))
    reads.learned(at(900, 1), 4)
    expect(reads.wanted).toEqual(at(100, 2))
  })
})

describe('a client on the leader', () => {
  it('is unknown as long as it is held, whatever is learned meanwhile', () => {
    const reads = new SessionReads()
    const released = reads.holds()
    expect(reads.hasUnknown).toBe(true)
    reads.learned(at(500), 10)
    expect(reads.hasUnknown).toBe(true)
    released(11, undefined)
    expect(reads.hasUnknown).toBe(true)
    reads.learned(at(600), 12)
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(600), false])
  })

  it('given back with the position of its COMMIT leaves nothing unknown', () => {
    const reads = new SessionReads()
    reads.holds()(10, at(500))
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(500), false])
  })

  it('and does not lower what has to be seen', () => {
    const reads = new SessionReads()
    reads.learned(at(700), 1)
    reads.holds()(10, at(500))
    expect(reads.wanted).toEqual(at(700))
  })

  it('nor make known what was done beside it', () => {
    const reads = new SessionReads()
    const released = reads.holds()
    reads.wrote(5)
    released(10, at(500))
    expect(reads.hasUnknown).toBe(true)
  })

  it('is one of several: all have to be given back', () => {
    const reads = new SessionReads()
    const [first, second] = [reads.holds(), reads.holds()]
    first(10, at(500))
    // Twice is once.
    first(10, at(500))
    expect(reads.hasUnknown).toBe(true)
    second(11, at(400))
    expect([reads.wanted, reads.hasUnknown]).toEqual([at(500), false])
  })

  it('given back a second time has done nothing more', () => {
    const reads = new SessionReads()
    const released = reads.holds()
    released(10, at(500))
    released(11, undefined)
    expect(reads.hasUnknown).toBe(false)
  })
})

describe('a session', () => {
  const [pool, other] = [{}, {}]

  it('is what is inside of it, also later on', async () => {
    expect(sessionReads(pool)).toBeUndefined()
    await session(async () => {
      const mine = sessionReads(pool)
      expect(mine).toBeInstanceOf(SessionReads)
      await new Promise((resolve) => setImmediate(resolve))
      expect(sessionReads(pool)).toBe(mine)
      expect(outsideSession(() => sessionReads(pool))).toBeUndefined()
      expect(sessionReads(pool)).toBe(mine)
    })
    expect(sessionReads(pool)).toBeUndefined()
  })

  it('has seen of one pool nothing of another', () => {
    session(() => {
      sessionReads(pool)?.wrote(1)
      expect(sessionReads(other)?.hasUnknown).toBe(false)
      expect(sessionReads(pool)?.hasUnknown).toBe(true)
    })
  })

  it('inside of a session is one of its own, and so is the next', () => {
    session(() => {
      const outer = sessionReads(pool)
      outer?.wrote(1)
      session(() => expect(sessionReads(pool)?.hasUnknown).toBe(false))
      session(() => expect(sessionReads(pool)).not.toBe(outer))
      expect(sessionReads(pool)).toBe(outer)
    })
  })

  it('side by side with others shares nothing', async () => {
    const one = (lsn: number) =>
      session(async () => {
        sessionReads(pool)?.learned(at(lsn), 1)
        await Promise.resolve()
        return sessionReads(pool)?.wanted
      })
    expect(await Promise.all([one(1), one(2)])).toEqual([at(1), at(2)])
  })

  it('returns what the work returns', () => {
    expect(session(() => 7)).toBe(7)
    expect(outsideSession(() => 8)).toBe(8)
  })
})
