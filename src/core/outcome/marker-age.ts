/** Between two times at which a pool deletes old rows, in milliseconds; twice as long at the most. */
const betweenPrunings = 60_000

/** The first one comes soon: there are processes that do not live for a minute. */
const firstPruning = { least: 500, spread: 1500 }

/** So many rows are deleted by one statement. */
export const pruneBatch = 1000

/** For so long a pool goes on deleting at a time: the next minute comes. */
const longestPruning = 2000

/**
 * In how many milliseconds old rows are to be deleted, now that one has been written and nothing is planned. `sinceLast`: since
 * the pool did so last. `chance`, from 0 to 1, keeps processes apart that were started together.
 */
export function pruneDelay(sinceLast: number | undefined, chance: number): number {
  if (sinceLast === undefined) return firstPruning.least + chance * firstPruning.spread
  return Math.max(0, betweenPrunings * (1 + chance) - sinceLast)
}

/** Whether there may be more to delete than the last statement did, and there is time for it. */
export function prunesOn(deleted: number, forMillis: number): boolean {
  return deleted >= pruneBatch && forMillis < longestPruning
}

/**
 * Whether a row that is missing may have been deleted for its age, so that it says nothing. Servers of one cluster, and
 * processes with the same table, do not have the same time to the second: half of the age is left for that.
 */
export function mayBePruned(ageMillis: number, maxAgeMillis: number): boolean {
  return ageMillis > maxAgeMillis / 2
}

/** The age that rows must be allowed to reach where a transaction may be looked up for so long. */
export function leastMaxAge(lookUpMillis: number): number {
  return 2 * lookUpMillis
}
