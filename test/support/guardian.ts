import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that removes servers and files as soon as we let go of its pipe: by `dismiss`, or by dying. */
export interface Guardian {
  /** One more file to remove at the end. */
  remove(path: string): void
  /** Lets go; resolves when everything is gone. */
  dismiss(): Promise<void>
}

/** Starts the guardian of a directory, best before that exists. */
export async function startGuardian(directory: string): Promise<Guardian> {
  const script = fileURLToPath(new URL('./guardian-process.mjs', import.meta.url))
  // detached: Ctrl-C in a terminal goes to the whole foreground group, and the guardian must survive it.
  const child = spawn(process.execPath, [script, directory], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    cwd: '/',
    env: {},
  })
  await once(child, 'spawn')
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk))
  child.stdin.on('error', () => undefined)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  // None of these may keep a finished process alive.
  child.unref()
  unref(child.stdin)
  unref(child.stderr)
  return {
    remove: (path) => void child.stdin.write(`${path}\n`),
    dismiss: async () => {
      child.ref()
      child.stdin.end()
      const code = await exited
      if (code !== 0) throw new Error(`the guardian of ${directory} ended with ${code}: ${complaint.trim()}`)
    },
  }
}

function unref(stream: unknown): void {
  ;(stream as { unref?: () => void }).unref?.()
}
