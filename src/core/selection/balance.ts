import type { HostKey } from '../topology/host'
import type { RandomSource } from './shuffle'

/** How reads are spread over the hosts that may serve them. */
export type LoadBalance = 'least-requests' | 'round-robin' | 'random'

/** All of them, the default first. */
export const loadBalances: readonly LoadBalance[] = Object.freeze(['least-requests', 'round-robin', 'random'])

/** A host that may serve a read. */
export interface Reader {
  readonly key: HostKey
  /** Requests of ours that are there and have not been answered. */
  readonly inFlight: number
  /** Its share of the reads beside the others' weights. 0: only if there is nobody else. */
  readonly weight: number
}

/**
 * The host that serves the next read; undefined only if there is none.
 *
 * `least-requests`: of two different hosts, drawn by weight, the one that is less loaded. `round-robin`: one after the
 * other, as often as their weights say and as evenly as that can be. `random`: drawn by weight.
 *
 * @param turn - how many reads were given their host before this one; `round-robin` goes by it.
 */
export function chooseReader<R extends Reader>(
  readers: readonly R[],
  way: LoadBalance,
  random: RandomSource,
  turn: number,
): R | undefined {
  const shares = sharesOf(readers)
  const [first] = shares
  if (first === undefined || shares.length === 1) return first?.reader
  switch (way) {
    case 'least-requests':
      return leastRequests(shares, random).reader
    case 'round-robin':
      return inTurn(shares, turn).reader
    case 'random':
      return draw(shares, random).reader
    default:
      return way satisfies never
  }
}

interface Share<R> {
  readonly reader: R
  /** Above 0. */
  readonly weight: number
}

/** Those without weight are left out, or share equally if there is nobody else. */
function sharesOf<R extends Reader>(readers: readonly R[]): readonly Share<R>[] {
  const wanted = readers.filter(({ weight }) => weight > 0)
  return wanted.length > 0
    ? wanted.map((reader) => ({ reader, weight: reader.weight }))
    : readers.map((reader) => ({ reader, weight: 1 }))
}

/** By weight. */
function draw<R>(shares: readonly Share<R>[], random: RandomSource): Share<R> {
  let point = random() * total(shares)
  const drawn = shares.find(({ weight }) => (point -= weight) < 0)
  // What rounding left over belongs to the last.
  return drawn ?? (shares[shares.length - 1] as Share<R>)
}

/**
 * The power of two choices: nearly as even as asking for the least loaded of all, and many clients that all see the same
 * host idle do not go there together.
 */
function leastRequests<R extends Reader>(shares: readonly Share<R>[], random: RandomSource): Share<R> {
  const first = draw(shares, random)
  const rest = shares.filter((share) => share !== first)
  const second = rest.length === 1 ? (rest[0] as Share<R>) : draw(rest, random)
  return isLessLoaded(second, first) ? second : first
}

/**
 * Compares what either would have to do with this read, `(inFlight + 1) / weight`, as Envoy does. Where weights differ that
 * alone would never send a read to the lighter one of two idle hosts; so it has to be less loaded without this read as
 * well. If neither is by both measures, the draw decides, and with it the weights.
 */
function isLessLoaded<R extends Reader>(a: Share<R>, b: Share<R>): boolean {
  const [ofA, ofB] = [a.reader.inFlight, b.reader.inFlight]
  return (ofA + 1) * b.weight < (ofB + 1) * a.weight && ofA * b.weight < ofB * a.weight
}

/**
 * Each host is due `weight` times in a unit of time, at even distances, and no two of one weight at once; the turn takes
 * the host whose moment is the next when as many moments as there were turns have gone by. It needs no memory, and a host
 * that leaves or joins moves the others by no more than their places.
 */
function inTurn<R>(shares: readonly Share<R>[], turn: number): Share<R> {
  if (shares.every(({ weight }) => weight === shares[0]?.weight)) return shares[turn % shares.length] as Share<R>
  const count = shares.length
  const entries = shares.map((share, index) => ({ share, index, taken: 0 }))
  /** When a host is due next, times its weight and twice the number of hosts: whole weights make of that whole numbers, and so exact ties. */
  const due = ({ taken, index }: Due<R>): number => 2 * count * taken + 2 * index + 1
  const isDueBefore = (a: Due<R>, b: Due<R>): boolean => due(a) * b.share.weight < due(b) * a.share.weight
  // Fewer moments than turns lie before this one, by so few that they can be counted out.
  const begin = Math.max(0, turn - count)
  const sum = total(shares)
  let gone = 0
  for (const entry of entries) {
    const { weight } = entry.share
    entry.taken = Math.max(0, Math.floor((begin / sum) * weight) - 1)
    while (due(entry) * sum < 2 * count * begin * weight) entry.taken += 1
    gone += entry.taken
  }
  for (;;) {
    const next = entries.reduce((a, b) => (isDueBefore(b, a) ? b : a))
    if (gone >= turn) return next.share
    next.taken += 1
    gone += 1
  }
}

/** A host, and how often it has been taken. */
interface Due<R> {
  readonly share: Share<R>
  readonly index: number
  taken: number
}

function total(shares: readonly Share<unknown>[]): number {
  return shares.reduce((sum, { weight }) => sum + weight, 0)
}
