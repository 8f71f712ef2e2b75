// Plain JavaScript, since the guardian runs on bare node.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, readdir, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const hasProc = existsSync('/proc/self/cwd')

/**
 * Every live process of the servers below a directory. A server and all its children work in its data directory, and
 * keep doing so when the postmaster is dead; so this needs no list of pids, finds orphans, and cannot hit a stranger
 * who was given a pid that one of ours had.
 */
export async function processesIn(directory) {
  if (!hasProc) {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,ppid=,command='])
    return processesListed(stdout, directory)
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A zombie has no working directory any more.
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      return cwd === directory || cwd.startsWith(`${directory}/`) ? pid : undefined
    }),
  )
  return found.filter((pid) => pid !== undefined)
}

/** The same from the text of `ps`, for systems without /proc: postmasters by their -D, the others as their children. */
export function processesListed(text, directory) {
  const rows = text
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, command]) => ({ pid: Number(pid), parent: Number(parent), command }))
  const postmasters = new Set(
    rows.filter(({ command }) => `${command} `.match(/ -D (\S+) /)?.[1]?.startsWith(directory)).map(({ pid }) => pid),
  )
  return rows.filter(({ pid, parent }) => postmasters.has(pid) || postmasters.has(parent)).map(({ pid }) => pid)
}

/** Sends a signal; a process that is gone is no error. */
export function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** SIGKILL to all of them, until none is left. */
export async function killProcessesIn(directory) {
  for (;;) {
    const pids = await processesIn(directory)
    if (pids.length === 0) return
    for (const pid of pids) signal(pid, 'SIGKILL')
    await sleep(1)
  }
}

/**
 * What a killed server leaves behind: its pid file, which makes the next start say that another postmaster is running,
 * and a System V shared memory segment, of which the system has few. Call only when no process of it is left.
 */
export async function removeRemains(dataDirectory) {
  const path = join(dataDirectory, 'postmaster.pid')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const lines = text.split('\n')
  const port = lines[3]
  const socketDirectory = lines[4]
  const segment = lines[6]?.trim().split(/\s+/)[1]
  if (segment) await promisify(execFile)('ipcrm', ['-m', segment]).catch(() => undefined)
  if (socketDirectory) {
    await rm(join(socketDirectory, `.s.PGSQL.${port}`), { force: true })
    await rm(join(socketDirectory, `.s.PGSQL.${port}.lock`), { force: true })
  }
  await rm(path, { force: true })
}
