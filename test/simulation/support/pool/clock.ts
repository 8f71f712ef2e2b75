/**
 * Whose move it is. `world`: something happens out there, whatever this process does. `news`: bytes for this process; they lie in
 * a socket while it is stalled. `timer`: one of this process's own.
 */
export type Mover = 'world' | 'news' | 'timer'

interface Due {
  readonly at: number
  readonly order: number
  readonly mover: Mover
  readonly run: () => void
}

const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, setImmediate: realSetImmediate } = globalThis
const realRandom = Math.random

/**
 * Virtual time in place of the process's own: timers, `performance.now()` and chance. Nothing passes but what is due, in order;
 * after each move every microtask and tick that follows from it has run.
 */
export class VirtualClock {
  now = 0
  #order = 0
  #due: Due[] = []
  #random: number

  constructor(seed: number) {
    this.#random = seed | 0
  }

  /** A number from 0 up to, but not including, 1: the seed decides which (mulberry32). */
  random = (): number => {
    this.#random = (this.#random + 0x6d2b79f5) | 0
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** Timers that this process has not seen fire yet. */
  get timers(): number {
    return this.#due.filter(({ mover }) => mover === 'timer').length
  }

  /** Takes the place of the real ones, until `uninstall`. */
  install(): void {
    const setVirtual = (run: (...args: unknown[]) => void, millis = 0, ...args: unknown[]): object => {
      const due = this.later('timer', Math.max(1, Math.trunc(millis)), () => run(...args))
      return Object.assign(due, { ref: () => due, unref: () => due })
    }
    const clearVirtual = (due: unknown): void => {
      const place = this.#due.indexOf(due as Due)
      if (place >= 0) this.#due.splice(place, 1)
    }
    Object.assign(globalThis, { setTimeout: setVirtual, clearTimeout: clearVirtual })
    Object.defineProperty(performance, 'now', { value: () => this.#read(), configurable: true })
    Math.random = this.random
  }

  uninstall(): void {
    Object.assign(globalThis, { setTimeout: realSetTimeout, clearTimeout: realClearTimeout })
    Reflect.deleteProperty(performance, 'now')
    Math.random = realRandom
  }

  /** No two readings of a real clock are the same. */
  #read(): number {
    return (this.now += 1e-6)
  }

  later(mover: Mover, millis: number, run: () => void): object {
    const due: Due = { at: this.now + millis, order: this.#order++, mover, run }
    let place = this.#due.length
    while (place > 0 && (this.#due[place - 1]?.at ?? 0) > due.at) place -= 1
    this.#due.splice(place, 0, due)
    return due
  }

  /** Lets so much time pass. */
  async pass(millis: number): Promise<void> {
    const until = this.now + millis
    await settled()
    for (let next = this.#take(until); next !== undefined; next = this.#take(until)) await this.#perform(next)
    this.now = Math.max(this.now, until)
  }

  /**
   * This process does nothing for so long; the world goes on. When it wakes up its timers fire first, late, and then what has come
   * meanwhile is read: the order of Node's event loop.
   */
  async stall(millis: number): Promise<void> {
    const until = this.now + millis
    await settled()
    for (let next = this.#take(until, 'world'); next !== undefined; next = this.#take(until, 'world')) {
      this.now = Math.max(this.now, next.at)
      next.run()
    }
    this.now = Math.max(this.now, until)
    for (const mover of ['timer', 'news'] as const) {
      const awake = this.#order
      for (let next = this.#take(until, mover, awake); next !== undefined; next = this.#take(until, mover, awake))
        await this.#perform(next)
    }
  }

  #take(until: number, mover?: Mover, before = Infinity): Due | undefined {
    const place = this.#due.findIndex((due) => (mover === undefined || due.mover === mover) && due.order < before)
    const next = this.#due[place]
    if (next === undefined || next.at > until) return undefined
    this.#due.splice(place, 1)
    return next
  }

  async #perform({ at, mover, run }: Due): Promise<void> {
    this.now = Math.max(this.now, at)
    run()
    if (mover !== 'world') await settled()
  }
}

/** Every microtask and every tick has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve))
}
