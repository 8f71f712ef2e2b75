import type fc from 'fast-check'

/** Every run tries other histories; a failure prints its seed and path, and `PG_LEADER_SEED=… PG_LEADER_PATH=…` replays it. */
export function seeded<T>(numRuns: number): fc.Parameters<T> {
  const { PG_LEADER_SEED: seed, PG_LEADER_PATH: path } = process.env
  return {
    numRuns,
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(path !== undefined && { path }),
  }
}
