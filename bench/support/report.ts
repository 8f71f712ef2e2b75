import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { formatTable } from './format'

/** Something that has to hold, and what was measured. */
export interface Bound {
  readonly name: string
  readonly required: string
  readonly measured: string
  readonly met: boolean
}

interface Table {
  readonly title: string
  readonly headers: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a benchmark says: to the terminal at once, to a JSON file at the end. */
export class Report {
  readonly #name: string
  readonly #flags: object
  readonly #startedAt = new Date()
  readonly #loadBefore = loadavg()
  readonly #tables: Table[] = []
  readonly #bounds: Bound[] = []
  readonly #raw: Record<string, unknown> = {}

  constructor(name: string, flags: object, expectedSeconds: number, about: string) {
    this.#name = name
    this.#flags = flags
    const [cpu] = cpus()
    this.line(`bench ${name}: ${about}`)
    this.line(`about ${Math.ceil(expectedSeconds / 60)} min; flags ${JSON.stringify(flags)}`)
    this.line(`node ${process.version}, ${availableParallelism()} × ${cpu?.model ?? 'cpu'}, load ${this.#load()}`)
  }

  line(text = ''): void {
    console.log(text)
  }

  table(title: string, headers: readonly string[], rows: readonly (readonly string[])[]): void {
    this.#tables.push({ title, headers, rows })
    this.line(`\n${title}\n\n${formatTable(headers, rows)}`)
  }

  bound(bound: Bound): void {
    this.#bounds.push(bound)
  }

  /** Goes to the JSON file only: what the tables were made of. */
  raw(name: string, value: unknown): void {
    this.#raw[name] = value
  }

  /** Prints the bounds and writes the file; returns the exit code. */
  async conclude(file: string): Promise<number> {
    const rows = this.#bounds.map(({ name, required, measured, met }) => [
      name,
      required,
      measured,
      met ? 'met' : 'MISSED',
    ])
    this.table('Bounds', ['bound', 'required', 'measured', ''], rows)
    const missed = this.#bounds.filter(({ met }) => !met)
    const seconds = Math.round((Date.now() - this.#startedAt.getTime()) / 1000)
    this.line(`\n${missed.length === 0 ? 'all bounds met' : `missed: ${missed.map(({ name }) => name).join(', ')}`}`)
    this.line(`${seconds} s; load average of the machine before ${this.#load()}, now ${loadavg()[0]?.toFixed(1)}`)
    if (file !== '') {
      const content = {
        bench: this.#name,
        flags: this.#flags,
        startedAt: this.#startedAt,
        seconds,
        node: process.version,
        cpus: cpus().map(({ model }) => model),
        loadBefore: this.#loadBefore,
        loadAfter: loadavg(),
        bounds: this.#bounds,
        tables: this.#tables,
        raw: this.#raw,
      }
      await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`)
      this.line(`written to ${file}`)
    }
    return missed.length === 0 ? 0 : 1
  }

  #load(): string {
    return this.#loadBefore[0]?.toFixed(1) ?? 'unknown'
  }
}
