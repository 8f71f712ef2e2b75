/** What `npm test` plays is the same each time; `npm run simulate` tries others. */
const everydaySeed = 2026

/**
 * A failure prints its seed and path, and `PG_LEADER_SEED=… PG_LEADER_PATH=…` replays it. `PG_LEADER_RUNS` asks for another
 * number of histories: what `npm run simulate` sets.
 */
export function seeded(runs: number): { readonly seed: number; readonly numRuns: number; readonly path?: string } {
  const { PG_LEADER_SEED: seed, PG_LEADER_PATH: path, PG_LEADER_RUNS: numRuns } = process.env
  return {
    seed: seed === undefined ? everydaySeed : Number(seed),
    numRuns: numRuns === undefined ? runs : Number(numRuns),
    ...(path !== undefined && { path }),
  }
}
