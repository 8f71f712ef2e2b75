import { fileURLToPath } from 'node:url'
import { startChild as startProgram } from '../../test/support/child'
import type { Child, Methods } from '../../test/support/child'

/** The processes a benchmark is made of. Each is `bench/main.ts child ROLE`. */
export type Role =
  'workload' | 'watcher' | 'overhead-client' | 'outcome-client' | 'reads-client' | 'hold-client' | 'hold-proxies'

/** Starts a process; `nodeFlags` go to node itself. */
export function startChild<M extends Methods>(role: Role, nodeFlags: readonly string[] = []): Promise<Child<M>> {
  const path = fileURLToPath(new URL('../main.ts', import.meta.url))
  return startProgram({ path, args: ['child', role], nodeFlags })
}
