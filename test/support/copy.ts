import { dirname } from 'node:path'
import type { ServerIdentity } from './identity'
import { run } from './run'

/**
 * Copies with `cp`, in another process, so that neither the event loop nor the thread pool (SCRAM uses it) of the test is
 * busy with it; as the servers' user, so that the copy is theirs. A running server's files may vanish meanwhile: that is
 * what a base backup has to bear.
 */
export async function copy(sources: readonly string[], target: string, identity: ServerIdentity): Promise<void> {
  if (sources.length === 0) return
  // It works beside its target, where the guardian finds it.
  await run('cp', ['-R', '-p', ...sources, target], { identity, cwd: dirname(target), tolerate: onlyVanished })
}

function onlyVanished(stderr: string): boolean {
  const lines = stderr.trim().split('\n')
  return lines.every((line) => line.endsWith('No such file or directory'))
}
