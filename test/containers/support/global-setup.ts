import { getContainerRuntimeClient } from 'testcontainers'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A container engine answers. */
    readonly engine: boolean
  }
}

/** Asks once for an engine, and says plainly why nothing runs where there is none. */
export async function setup(project: TestProject): Promise<void> {
  const why = await getContainerRuntimeClient().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
  if (why !== undefined) console.log(`\ntest/containers is skipped: no container engine answers (${why})\n`)
  project.provide('engine', why === undefined)
}
