/** Every live process of the servers below a directory. */
export function processesIn(directory: string): Promise<number[]>
/** The same from the text of `ps -axww -o pid=,ppid=,command=`. */
export function processesListed(text: string, directory: string): number[]
/** Sends a signal; a process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void
/** SIGKILL to all of them, until none is left. */
export function killProcessesIn(directory: string): Promise<void>
/** Removes the pid file, the socket and the shared memory of a server that was killed. */
export function removeRemains(dataDirectory: string): Promise<void>
