import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What a child can be asked: one argument in, an answer out. All of it crosses a process boundary. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each child declares its own
export type Methods = Readonly<Record<string, (argument: any) => unknown>>

/** A process of its own, so that neither the faults we inject nor what we count disturbs what is measured. */
export interface Child<M extends Methods> {
  readonly pid: number
  call<K extends keyof M & string>(method: K, argument: Parameters<M[K]>[0]): Promise<Awaited<ReturnType<M[K]>>>
  /** Resolves when it is gone. */
  kill(): Promise<void>
}

export interface Program {
  /** A TypeScript file that calls {@link serve}. */
  readonly path: string
  readonly args?: readonly string[]
  /** For node itself. */
  readonly nodeFlags?: readonly string[]
  /** A command that becomes node: `unshare --net`, say. */
  readonly through?: readonly string[]
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

/** Starts a process that serves. */
export async function startChild<M extends Methods>(program: Program): Promise<Child<M>> {
  const { path, args = [], nodeFlags = [], through = [] } = program
  const [command = '', ...words] = [...through, process.execPath, '--import', 'tsx', ...nodeFlags, path, ...args]
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
  const child = spawn(command, words, { stdio: [...stdio], serialization: 'advanced' })
  const open = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let asked = 0
  let gone: Error | undefined
  const exited = once(child, 'exit').then(([code, signal]) => {
    gone = new Error(`${[path, ...args].join(' ')} ended with ${String(signal ?? code)}`)
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
    pid: child.pid as number,
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
