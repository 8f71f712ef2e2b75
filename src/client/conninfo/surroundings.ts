import { readFileSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'

import type { Environment } from '../../core/conninfo/environment'

/** What a file is to us: its text and who else may read it. */
export interface FoundFile {
  readonly text: string
  readonly plain: boolean
  /** Whether group or world have any access; never true on Windows, where modes say nothing. */
  readonly open: boolean
}

/** Everything outside the program that connection settings depend on; tests hand in their own. */
export interface Surroundings {
  readonly env: Environment
  readonly windows: boolean
  /** The home directory, `undefined` if there is none. */
  readonly home: string | undefined
  /** The operating system's name for this user, libpq's last resort for `user`. */
  readonly userName: string | undefined
  /** `undefined` if the file is not there or cannot be read. */
  readonly readFile: (path: string) => FoundFile | undefined
}

/** The surroundings of this process, read at the moment of the call. */
export function processSurroundings(): Surroundings {
  const windows = process.platform === 'win32'
  return {
    env: process.env,
    windows,
    home: attempt(homedir),
    userName: attempt(() => userInfo().username),
    readFile: (path) =>
      attempt(() => {
        const stat = statSync(path)
        // Only a plain file is opened: reading a pipe would wait for its writer.
        const text = stat.isFile() ? readFileSync(path, 'utf8') : ''
        return { text, plain: stat.isFile(), open: !windows && (stat.mode & 0o077) !== 0 }
      }),
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
