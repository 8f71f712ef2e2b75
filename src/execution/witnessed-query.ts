import type { Client } from '../pool/session'
import type { RawConnection } from '../client/pg-internals'

/** What pg's Query is called back with. */
type Callback = (error: unknown, result?: unknown) => void

/** pg's Query, with what its type declarations leave out; the same from pg 8.16 to 8.23. */
interface Query {
  name: string | undefined
  text: string
  callback: Callback
  _results: unknown
  _canceledDueToError: unknown
  submit(connection: ExtendedConnection): Error | null
  requiresPreparation(): boolean
  prepare(connection: ExtendedConnection): void
  _getRows(connection: ExtendedConnection, rows: unknown): void
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void
  handleCommandComplete(message: unknown, connection: ExtendedConnection): void
  handleError(error: unknown, connection: ExtendedConnection): void
}

type QueryClass = new (config: object, values: unknown, callback: Callback) => Query

/** The messages of the extended protocol that go beyond what else is used of a connection. */
interface ExtendedConnection extends RawConnection {
  readonly submittedNamedStatements: Record<string, string>
  parse(message: { readonly text: string; readonly name: string; readonly types: readonly unknown[] }): void
  bind(message: { readonly portal: string; readonly statement: string; readonly values: readonly unknown[] }): void
  execute(message: { readonly portal: string }): void
  flush(): void
}

/** A statement that goes out as `witness · statement · Flush · Sync`, and what is known of it. */
export interface WitnessedQuery extends Query {
  /** It was sent as it is, and not as something that somebody made of it. */
  readonly submitted: boolean
  /** pg has had it in hand, if only to refuse it. Without that somebody in between sent a copy of it, or it waits still. */
  readonly taken: boolean
  /** What the witness answered, in the order of its columns; undefined if it had no row, or none has come. */
  readonly witness: readonly (string | null)[] | undefined
  /** The witness has been answered to its end. */
  readonly answered: boolean
  /** The server answered the witness with an error, and looked at nothing else. */
  readonly witnessRefused: boolean
  /** CommandComplete of the statement itself has come. */
  readonly completed: boolean
}

/** Made once for every Query class there is: an application has one, rarely two. */
const classes = new WeakMap<QueryClass, ReturnType<typeof derive>>()

/** What goes out, and how. */
export interface Sending {
  readonly config: object
  /** The texts of what goes first; without any the statement gets the Flush alone. Of the last one the answer is the witness. */
  readonly questions: readonly string[]
  /**
   * What the server is to have sent before it looks at the rest: the statement, which is committed by Sync; or the witness of
   * a statement that is a COMMIT itself.
   */
  readonly flushAfter: 'statement' | 'witness'
  /** Asked when it is its turn: whether it goes out so, or as it is. Default: so. */
  readonly applies?: () => boolean
}

/**
 * One attempt of one statement. The class is derived from the client's own Query, so that whatever tests for that finds it.
 */
export function createWitnessedQuery(client: Client, sending: Sending, callback: Callback): WitnessedQuery {
  const Base = (client.constructor as unknown as { readonly Query: QueryClass }).Query
  let Derived = classes.get(Base)
  if (Derived === undefined) classes.set(Base, (Derived = derive(Base)))
  return new Derived(sending, callback)
}

function derive(Base: QueryClass): new (sending: Sending, callback: Callback) => WitnessedQuery {
  class Witnessed extends Base implements WitnessedQuery {
    readonly #sending: Sending
    /** What pg would take the witness for, were it not hidden until the witness is over. */
    #hiddenName: string | undefined
    /** So many of the questions are not answered to their end. */
    #awaited = 0
    /** Who copies a query to give it another text finds here what pg's constructor reads and keeps under another name. */
    readonly rowMode: unknown
    submitted = false
    taken = false
    witness: readonly (string | null)[] | undefined
    answered = false
    witnessRefused = false
    completed = false

    constructor(sending: Sending, callback: Callback) {
      super(sending.config, undefined, callback)
      this.#sending = sending
      const { query_timeout: limit } = sending.config as { readonly query_timeout?: unknown }
      // pg looks for it at what it is given.
      if (limit !== undefined) Object.assign(this, { query_timeout: limit })
      this.rowMode = (sending.config as { readonly rowMode?: unknown }).rowMode
    }

    override submit(connection: ExtendedConnection): Error | null {
      this.taken = true
      this.submitted = this.#sending.applies?.() ?? true
      return super.submit(connection)
    }

    /** Only in the extended protocol is there a Flush, and one statement. */
    override requiresPreparation(): boolean {
      return this.submitted || super.requiresPreparation()
    }

    override prepare(connection: ExtendedConnection): void {
      const { questions, flushAfter } = this.#sending
      if (questions.length > 0 && this.submitted) {
        this.#awaited = questions.length
        for (const text of questions) {
          connection.parse({ text, name: '', types: [] })
          connection.bind({ portal: '', statement: '', values: [] })
          connection.execute({ portal: '' })
        }
        if (flushAfter === 'witness') connection.flush()
      }
      super.prepare(connection)
      if (this.#awaited > 0) {
        this.#hiddenName = this.name
        this.name = undefined
      }
    }

    override _getRows(connection: ExtendedConnection): void {
      connection.execute({ portal: '' })
      if (this.#sending.flushAfter === 'statement') connection.flush()
      connection.sync()
    }

    override handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
      if (this.#awaited > 0) this.witness = message.fields
      else super.handleDataRow(message)
    }

    override handleCommandComplete(message: unknown, connection: ExtendedConnection): void {
      if (this.#awaited > 0) this.#endOfQuestion()
      else {
        this.completed = true
        super.handleCommandComplete(message, connection)
      }
    }

    override handleError(error: unknown, connection: ExtendedConnection): void {
      this.taken = true
      if (this.#awaited > 0) {
        this.#endOfWitness()
        this.witnessRefused = true
        // pg would do that, had it known the name: the statement was never parsed.
        if (this.name !== undefined) Reflect.deleteProperty(connection.submittedNamedStatements, this.name)
      }
      super.handleError(error, connection)
    }

    #endOfQuestion(): void {
      this.#awaited -= 1
      if (this.#awaited > 0) return
      this.answered = true
      this.#endOfWitness()
    }

    #endOfWitness(): void {
      this.#awaited = 0
      this.name = this.#hiddenName
    }
  }
  return Witnessed
}
