/** How many of these numbers come after a higher one. 0: strictly in order. */
export function outOfOrder(numbers: readonly number[]): number {
  let highest = -Infinity
  let count = 0
  for (const number of numbers) {
    if (number < highest) count += 1
    else highest = number
  }
  return count
}

/**
 * By how many places somebody was served too early. On `max` connections at once, at most `max - 1` calls that were
 * started before may still be on their way when one reaches the server; a call may come late by any number of places.
 */
export function mostAhead(numbers: readonly number[]): number {
  return numbers.reduce((most, number, place) => Math.max(most, number - place), 0)
}

/** The highest number of moments within one second, between two times in milliseconds. */
export function mostInASecond(moments: readonly number[], from: number, to: number): number {
  const within = moments.filter((moment) => moment >= from && moment <= to).sort((a, b) => a - b)
  let first = 0
  let most = 0
  for (const [last, moment] of within.entries()) {
    while (moment - within[first]! >= 1000) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
