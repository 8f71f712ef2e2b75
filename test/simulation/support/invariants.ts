import type { TopologyEffect } from '../../../src/core/topology/effects'
import { acceptsWrites } from '../../../src/core/topology/host'
import type { TopologyState } from '../../../src/core/topology/state'
import type { History } from './history'
import { Ledger } from './ledger'
import { lockoutMillis, simulate } from './simulate'
import type { Moment, Rules } from './simulate'

/** What went before a moment. */
interface Past {
  /** The moment before. */
  last: Moment | undefined
  /** Who led last, and in which incarnation. */
  leader: { readonly key: string; readonly incarnation: string } | undefined
  /** The generation that was last announced. */
  announced: number
}

/** Judges one moment; the reason if something is wrong. `ledger` is as of this moment, its leader not yet entered. */
type Judge = (moment: Moment, ledger: Ledger, past: Past) => string | undefined

/** What must hold at every moment of every history. */
export const invariants = {
  'a leader is never below the highest timeline that led': ({ after }, ledger) => {
    const answer = after.leader && ledger.entry(after.leader.key).answer
    if (answer?.timeline === undefined || answer.timeline >= ledger.highest) return undefined
    return `${after.leader?.key} leads on timeline ${answer.timeline}, ${ledger.highest} has led`
  },

  'nobody leads while a host of ours has shown a newer timeline twice': ({ after }, ledger) => {
    const answer = after.leader && ledger.entry(after.leader.key).answer
    const ahead = [...ledger.entries].find(
      ([, entry]) =>
        entry.sights >= 2 &&
        entry.answer?.systemIdentifier === ledger.identity &&
        (entry.answer?.timeline ?? -Infinity) > (answer?.timeline ?? Infinity),
    )
    return ahead && `${after.leader?.key} leads on timeline ${answer?.timeline}, ${ahead[0]} is ahead of it`
  },

  'a leader is never of another cluster': ({ after }, ledger) => {
    const answer = after.leader && ledger.entry(after.leader.key).answer
    const theirs = answer?.systemIdentifier
    if (theirs === undefined || ledger.identity === undefined || theirs === ledger.identity) return undefined
    return `${after.leader?.key} leads and is of ${theirs}, ours is ${ledger.identity}`
  },

  'a leader is a host whose newest answer accepts writes': ({ after }, ledger) =>
    after.leader === undefined || acceptsWrites(ledger.entry(after.leader.key).answer)
      ? undefined
      : `${after.leader.key} leads and does not accept writes`,

  'who lists hosts takes no leader away and makes none by leaving hosts out, and only hosts of the list come to lead': (
    { event, before, after },
    ledger,
  ) => {
    const key = after.leader?.key
    if (event.type === 'hosts' && before.leader !== undefined && before.leader.key !== key) {
      return `${before.leader.key} was taken off, and does not lead any more`
    }
    return key === undefined || key === before.leader?.key || ledger.isListed(key) ? undefined : `${key} leads`
  },

  'the generation never falls': ({ before, after }) =>
    after.generation >= before.generation ? undefined : `${before.generation}, then ${after.generation}`,

  'the generation rises when the leader or its incarnation changes, and only then': (
    { before, after },
    ledger,
    past,
  ) => {
    const steps = after.generation - before.generation
    const changed = after.leader !== undefined && incarnation(after, ledger) !== past.leader?.incarnation
    if (after.leader !== undefined && after.leader === before.leader && isUntold(after, ledger)) return undefined
    return steps === (changed ? 1 : 0) ? undefined : `${steps} up, ${changed ? 'another' : 'no other'} incarnation`
  },

  'with two servers on the highest timeline nobody comes to lead': ({ before, after }, ledger) => {
    if (after.leader === undefined || after.leader.key === before.leader?.key) return undefined
    const { answer } = ledger.entry(after.leader.key)
    const rival = [...ledger.entries].find(
      ([key, entry]) =>
        key !== after.leader?.key &&
        acceptsWrites(entry.answer) &&
        // One that has deceived before is not fallen for again.
        !ledger.rivals.has(key) &&
        // Where neither can be read, nobody knows that they contend.
        (answer?.systemIdentifier !== undefined || answer?.timeline !== undefined) &&
        entry.answer.systemIdentifier === answer?.systemIdentifier &&
        entry.answer.timeline === answer?.timeline,
    )
    return rival && `${after.leader.key} was elected although ${rival[0]} is on the same timeline`
  },

  'a second primary on the timeline of the leader does not inherit the lead': ({ before, after }, ledger) => {
    const key = after.leader?.key
    if (key === undefined || key === before.leader?.key || !ledger.rivals.has(key)) return undefined
    return `${key} leads, which has been a rival of the last leader`
  },

  'a leader that still answers gives way only to one that was seen twice': ({ event, before, after }, ledger) => {
    const old = before.leader
    if (old === undefined || old.key === after.leader?.key || event.type === 'reset') return undefined
    const { answer } = ledger.entry(old.key)
    const byItsOwnWord = event.type === 'observed' && event.host === old.key
    if (byItsOwnWord || !acceptsWrites(answer)) return undefined
    const confirmed = [...ledger.entries.values()].some(
      ({ answer: theirs, looks, sights }) =>
        (looks >= 2 && (theirs?.timeline ?? Infinity) >= (answer.timeline ?? -Infinity)) ||
        // A newer timeline that is followed or fenced still is a newer timeline.
        (sights >= 2 && (theirs?.timeline ?? -Infinity) > (answer.timeline ?? Infinity)),
    )
    return confirmed ? undefined : `${old.key} was dropped for ${after.leader?.key ?? 'nobody'}`
  },

  'nothing in doubt is a target, and writes go to the leader alone': ({ after, anyTo, writesTo }, ledger) => {
    const doubted = [...anyTo, ...writesTo].find((key) => ledger.entry(key).doubtedAt !== undefined)
    if (doubted !== undefined) return `${doubted} is a target and in doubt`
    const stranger = writesTo.find((key) => key !== after.leader?.key)
    return stranger && `writes go to ${stranger}`
  },

  'writes go only where the authority has said, and only while its word holds': ({ after, now, writesTo }, ledger) => {
    const [host] = writesTo
    if (after.authority === undefined || host === undefined) return undefined
    const { word } = ledger
    if (word?.host !== host) return `writes go to ${host}, and the authority said ${word?.host ?? 'nobody'}`
    return now <= word.until ? undefined : `writes go to ${host} at ${now}, its lease ended at ${word.until}`
  },

  'a leader is announced when it can be used, and its loss when it cannot': (
    { before, after, effects },
    ledger,
    past,
  ) => {
    const usable = isUsable(after, ledger)
    const usableBefore = past.last?.writesTo.length === 1
    const ready = effects.find(({ type }) => type === 'leader-ready')
    const lost = effects.find(({ type }) => type === 'leader-lost')
    if ((ready !== undefined) !== (usable && (!usableBefore || after.generation !== before.generation)))
      return `${ready ? '' : 'not '}announced`
    if ((lost !== undefined) !== (usableBefore && !usable)) return `${lost ? 'a loss' : 'no loss'} was told`
    return undefined
  },

  'the first announcement of a generation says that it is new': ({ after, effects }, _ledger, past) => {
    const ready = find(effects, 'leader-ready')
    if (ready === undefined) return undefined
    const isNew = after.generation !== past.announced
    return ready.changed === isNew
      ? undefined
      : `generation ${after.generation} was announced as ${isNew ? 'old' : 'new'}`
  },

  'what is left of the last leader is cut when there is another or history has left it, and nobody else is': (
    { before, after, effects },
    ledger,
    past,
  ) => {
    const cut = find(effects, 'cut')?.host
    const isNew = after.leader !== undefined && after.generation !== before.generation
    const answer = before.leader && after.leader === undefined ? ledger.entry(before.leader.key).answer : undefined
    const isOurs = [answer?.systemIdentifier, undefined].includes(after.systemIdentifier)
    const isLeft =
      answer?.inRecovery === false && isOurs && (answer.timeline ?? Infinity) < (after.highestTimeline ?? 0)
    const expected = isNew ? past.leader?.key : isLeft ? before.leader?.key : undefined
    return cut === expected ? undefined : `${cut ?? 'nobody'} was cut, not ${expected ?? 'nobody'}`
  },

  'a loss has a time': ({ event, effects }) => {
    const lost = find(effects, 'leader-lost')
    return lost === undefined || (lost.at >= 0 && lost.at <= event.at) ? undefined : `lost at ${lost.at}`
  },

  'those who wait are told when there is somewhere to go': ({ anyTo, effects }, _ledger, past) => {
    const was = past.last?.anyTo ?? []
    const told = effects.some(({ type }) => type === 'publish' || type === 'leader-ready' || type === 'leader-lost')
    return told || was.join() === anyTo.join() ? undefined : `from ${was.join()} to ${anyTo.join()}, and nobody knows`
  },
} satisfies Record<string, Judge>

export type InvariantName = keyof typeof invariants

export const invariantNames = Object.keys(invariants) as InvariantName[]

/** What must hold in the end: with one true primary ahead and answering long enough, it leads and goes on leading. */
export const calmInvariant = 'in a calm the one true primary comes to lead and stays'

/** Plays a history and says, for each of the names, what was wrong first. */
export function violations(
  history: History,
  rules: Rules,
  names: readonly (InvariantName | typeof calmInvariant)[],
): ReadonlyMap<string, string> {
  const { moments, calmFrom, world } = simulate(history, rules)
  const found = new Map<string, string>()
  const ledger = new Ledger(
    world.servers.map(({ key }) => key),
    lockoutMillis,
  )
  const past: Past = { last: undefined, leader: undefined, announced: 0 }
  for (const moment of moments) {
    ledger.note(moment.event)
    const led = moment.before.leader !== undefined && moment.after.leader !== undefined
    ledger.mindLockout(moment.event, led)
    for (const name of names) {
      if (name === calmInvariant || found.has(name)) continue
      const judge: Judge = invariants[name]
      const wrong = judge(moment, ledger, past)
      if (wrong !== undefined) found.set(name, `${wrong} (after ${describe(moment)})`)
    }
    ledger.noteLeader(moment.after)
    const { leader, generation } = moment.after
    if (leader !== undefined && (leader !== moment.before.leader || !isUntold(moment.after, ledger))) {
      past.leader = { key: leader.key, incarnation: incarnation(moment.after, ledger) }
    }
    if (find(moment.effects, 'leader-ready') !== undefined) past.announced = generation
    past.last = moment
  }
  if (names.includes(calmInvariant)) {
    const wrong = unrest(moments.slice(calmFrom), world.ours.find(({ primary }) => primary)?.key)
    if (wrong !== undefined) found.set(calmInvariant, wrong)
  }
  return found
}

function incarnation({ leader }: TopologyState, ledger: Ledger): string {
  if (leader === undefined) return 'none'
  const { answer } = ledger.entry(leader.key)
  return `${leader.key} ${answer?.timeline} ${answer?.postmasterStartTime}`
}

/** While it is contested or in doubt nobody is told that a leader is another one, after a restart, than it was. */
function isUntold(state: TopologyState, ledger: Ledger): boolean {
  return hasNewerRival(state, ledger) || !isUsable(state, ledger)
}

function hasNewerRival({ leader }: TopologyState, ledger: Ledger): boolean {
  const timeline = leader && ledger.entry(leader.key).answer?.timeline
  return [...ledger.entries].some(
    ([key, { answer }]) => key !== leader?.key && (answer?.timeline ?? 0) > (timeline ?? Infinity),
  )
}

function isUsable({ leader }: TopologyState, ledger: Ledger): boolean {
  return leader !== undefined && ledger.entry(leader.key).doubtedAt === undefined
}

function find<T extends TopologyEffect['type']>(
  effects: readonly TopologyEffect[],
  type: T,
): Extract<TopologyEffect, { type: T }> | undefined {
  return effects.find((effect): effect is Extract<TopologyEffect, { type: T }> => effect.type === type)
}

function unrest(calm: readonly Moment[], primary: string | undefined): string | undefined {
  const last = calm.at(-1)
  if (primary === undefined || last === undefined) return undefined
  const end = calm.slice(Math.floor(calm.length * 0.75))
  const other = end.find(({ after, writesTo }) => after.leader?.key !== primary || writesTo.join() !== primary)
  if (other !== undefined) return `${other.after.leader?.key ?? 'nobody'} leads, not ${primary} (at ${other.event.at})`
  return end.every(({ after }) => after.generation === last.after.generation) ? undefined : 'it does not come to rest'
}

function describe({ event }: Moment): string {
  const subject = 'host' in event ? ` of ${event.host}` : ''
  return `${event.type}${subject} at ${event.at}`
}
