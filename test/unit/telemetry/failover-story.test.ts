import { describe, expect, it } from 'vitest'
import type { Leader } from '../../../src/core/topology/state'
import { FailoverStory } from '../../../src/telemetry/failover-story'
import type { FailoverEvent } from '../../../src/telemetry/failover-story'

const leader = (key: string, timeline?: number): Leader => ({
  key,
  timeline,
  postmasterStartTime: `${key}'s start`,
  electedAt: 0,
})

function listen(): { story: FailoverStory; told: FailoverEvent[] } {
  const told: FailoverEvent[] = []
  return { story: new FailoverStory((event) => told.push(event)), told }
}

describe('FailoverStory', () => {
  it('tells the whole story once, when it is concluded', () => {
    const { story, told } = listen()
    story.lost(100)
    story.lost(150)
    story.held()
    story.held()
    story.replayed()
    story.unknown()
    story.elected(leader('a:1', 1), leader('b:2', 2), 5, 400)
    story.heldFor(250)
    story.heldFor(300)
    story.heldFor(10)
    expect(story.pending).toBe(true)
    expect(story.over).toBe(false)
    story.released()
    story.released()
    expect(story.over).toBe(true)
    expect(told).toEqual([])
    story.conclude({ count: 3, tags: ['order 7'] })
    story.conclude()
    expect(told).toEqual([
      {
        from: 'a:1',
        to: 'b:2',
        fromTimeline: 1,
        toTimeline: 2,
        generation: 5,
        leaderlessMillis: 300,
        held: 2,
        longestHoldMillis: 300,
        replayed: 1,
        unknown: 1,
        lost: 3,
        lostTags: ['order 7'],
      },
    ])
    expect(Object.isFrozen(told[0])).toBe(true)
    expect(story.pending).toBe(false)
  })

  it.each(['lost', 'deposed'])('leaves out what was held before its leader was %s', (how) => {
    const { story, told } = listen()
    story.held()
    story.heldFor(5000)
    story.released()
    story.replayed()
    if (how === 'lost') story.lost(100)
    story.elected(leader('a:1', 1), leader('b:2', 2), 2, 400)
    story.conclude()
    expect(told).toMatchObject([{ held: 0, longestHoldMillis: 0, replayed: 0, lost: undefined, lostTags: [] }])
  })

  it('counts what was sent again in a doubt that was cleared a moment before the loss, and nothing older', () => {
    const { story, told } = listen()
    story.lost(100)
    story.replayed()
    story.clear()
    story.lost(5000)
    story.replayed()
    story.clear()
    story.lost(5010)
    story.replayed()
    story.elected(leader('a:1', 1), leader('a:1', 1), 2, 5400)
    story.conclude()
    expect(told).toMatchObject([{ replayed: 2, leaderlessMillis: 390 }])
  })

  it('begins anew after each', () => {
    const { story, told } = listen()
    story.lost(100)
    story.replayed()
    story.elected(leader('a:1', 1), leader('b:2', 2), 2, 200)
    story.conclude()
    story.elected(leader('b:2', 2), leader('a:1', 3), 3, 900)
    story.conclude()
    expect(told.map(({ leaderlessMillis, replayed, generation }) => [generation, leaderlessMillis, replayed])).toEqual([
      [2, 100, 1],
      [3, 0, 0],
    ])
  })

  it('is one story from the first leader to the last, if the second falls before it is told', () => {
    const { story, told } = listen()
    story.lost(100)
    story.elected(leader('a:1', 1), leader('b:2', 2), 2, 200)
    story.lost(220)
    story.elected(leader('b:2', 2), leader('c:3', 3), 3, 300)
    story.conclude()
    expect(told).toMatchObject([{ from: 'a:1', to: 'c:3', generation: 3, leaderlessMillis: 200 }])
  })

  it('has nothing to tell of a leader that came back as it was', () => {
    const { story, told } = listen()
    story.lost(100)
    story.replayed()
    story.clear()
    story.conclude()
    expect(told).toEqual([])
    story.elected(leader('a:1', 1), leader('b:2', 2), 2, 500)
    story.conclude()
    expect(told).toMatchObject([{ leaderlessMillis: 0, replayed: 0 }])
  })

  it('does not forget a story that waits to be told when its leader is cleared of a doubt', () => {
    const { story, told } = listen()
    story.lost(100)
    story.elected(leader('a:1', 1), leader('b:2', 2), 2, 200)
    story.clear()
    story.conclude()
    expect(told).toMatchObject([{ from: 'a:1', to: 'b:2', leaderlessMillis: 100 }])
  })
})
