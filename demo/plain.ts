import { moment, count, duration } from './units'
import type { Show, Stage } from './view'

/** Lines for logs and pipes: what happens when it happens, and the figures once a second. */
export class Plain implements Show {
  readonly #print: (text: string) => void
  #timer: NodeJS.Timeout | undefined
  #stage: Stage | undefined
  #told = 0
  #second = 0

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  begin(stage: Stage): void {
    this.#stage = stage
    this.#timer = setInterval(() => this.#tell(), 50)
  }

  /** All of it was printed. */
  keepsake(): readonly [] {
    return []
  }

  end(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#tell()
  }

  #tell(): void {
    if (this.#stage === undefined) return
    const { happenings, elapsedMillis } = this.#stage
    for (const { at, text } of happenings.slice(this.#told)) this.#print(`${moment(at)}  ${text}`)
    this.#told = happenings.length
    if (elapsedMillis < (this.#second + 1) * 1000) return
    this.#second = Math.floor(elapsedMillis / 1000)
    this.#print(figures(this.#stage))
  }
}

function figures(stage: Stage): string {
  const { load, pool, waiting } = stage
  const { leader, timeline } = pool.topology
  const { answered, longestMillis } = load.latency.lastSecond(performance.now())
  const parts = [
    leader === undefined ? 'no leader' : `leader ${stage.nameOf(leader)}, timeline ${timeline ?? '?'}`,
    `${count(answered)} answered/s`,
    `${count(waiting.callers)} ${waiting.held ? 'held' : 'waiting'}`,
    `${count(load.failed)} failed`,
    `longest wait ${duration(longestMillis)}`,
  ]
  return `${moment(stage.elapsedMillis)}    ${parts.join(' · ')}`
}
