/** Uniform numbers from 0 up to, but not including, 1. */
export type RandomSource = () => number

/**
 * The items in random order: Fisher–Yates, so every order is equally likely if the source is uniform. `random` is asked
 * once for each item but the first.
 *
 * libpq shuffles the hosts once a connection and the addresses of each name after it was resolved. Two levels: a name
 * with many addresses gets no larger share than a name with one, and naming a host twice gives it twice the share.
 */
export function shuffle<T>(items: readonly T[], random: RandomSource): readonly T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1))
    const item = shuffled[last] as T
    shuffled[last] = shuffled[chosen] as T
    shuffled[chosen] = item
  }
  return shuffled
}
