/** A rule of DESIGN, broken on purpose by one edit of the source, and the tests that must turn red. */
export interface Mutant {
  /** What is no longer so. */
  readonly rule: string
  readonly file: string
  /** Is there exactly once. */
  readonly text: string
  readonly instead: string
  /** The tests that are run: one of them must fail. */
  readonly tests: string
  /** Of a simulation, the invariant that must notice; nothing else is looked at. */
  readonly noticedBy: string | undefined
}

/** Mutants of one file. */
export function mutantsOf(
  file: string,
  edits: readonly (readonly [rule: string, text: string, instead: string, tests: string, noticedBy?: string])[],
): readonly Mutant[] {
  return edits.map(([rule, text, instead, tests, noticedBy]) => ({ rule, file, text, instead, tests, noticedBy }))
}

/** Where tests are. */
export const where = {
  outcomeSpec: 'test/spec/outcome/outcome.test.ts',
  topologySpec: 'test/spec/topology/topology.test.ts',
  routingSpec: 'test/spec/routing/routing.test.ts',
  retrySpec: 'test/spec/retry/retry.test.ts',
  selectionSpec: 'test/spec/selection',
  unit: (name: string) => `test/unit/${name}.test.ts`,
  topology: 'test/simulation/topology.test.ts',
  pool: 'test/simulation/pool-small-clusters.test.ts',
  quiet: 'test/simulation/pool-quiet.test.ts',
} as const
