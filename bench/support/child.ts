import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The processes a benchmark is made of. Each is `bench/main.ts child ROLE`. */
export type Role = 'workload' | 'watcher' | 'overhead-client' | 'outcome-client' | 'hold-client' | 'hold-proxies'

/** What a child can be asked: one argument in, an answer out. All of it crosses a process boundary. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each child declares its own
export type Methods = Readonly<Record<string, (argument: any) => unknown>>

/** A process of its own, so that neither the faults we inject nor what we count disturbs what is measured. */
export interface Child<M extends Methods> {
  call<K extends keyof M & string>(method: K, argument: Parameters<M[K]>[0]): Promise<Awaited<ReturnType<M[K]>>>
  /** Resolves when it is gone. */
  kill(): Promise<void>
}

interface Question {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: unknown
}

/** Starts a process; `nodeFlags` go to node itself. */
export async function startChild<M extends Methods>(role: Role, nodeFlags: readonly string[] = []): Promise<Child<M>> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  // execArgv holds what makes this process read TypeScript.
  const execArgv = [...process.execArgv, ...nodeFlags]
  const child = fork(main, ['child', role], { execArgv, serialization: 'advanced' })
  const open = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let asked = 0
  let gone: Error | undefined
  const exited = once(child, 'exit').then(([code, signal]) => {
    gone = new Error(`the ${role} process ended with ${String(signal ?? code)}`)
    for (const { reject } of open.values()) reject(gone)
    open.clear()
  })
  child.on('message', ({ id, result, error }: Answer) => {
    const question = open.get(id)
    open.delete(id)
    if (error === undefined) question?.resolve(result)
    else question?.reject(error)
  })
  await once(child, 'spawn')
  return {
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        if (gone !== undefined) return reject(gone)
        asked += 1
        open.set(asked, { resolve: resolve as (value: unknown) => void, reject })
        child.send({ id: asked, method, argument } satisfies Question)
      }),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** The other end: answers until the parent is gone. */
export function serve(methods: Methods): void {
  process.on('message', ({ id, method, argument }: Question) => {
    const answer = async (): Promise<Answer> => ({ id, result: await methods[method]?.(argument) })
    answer()
      .catch((error: unknown): Answer => ({ id, error }))
      .then((message) => process.send?.(message))
      .catch(() => undefined)
  })
  process.on('disconnect', () => process.exit(0))
}
