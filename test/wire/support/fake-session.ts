import type { Socket } from 'node:net'
import type { Answer, Role } from './answers'
import { isMonitorQuestion, plainAnswer, roleAnswer, roleParameters } from './answers'
import * as backend from '../../support/backend'
import type { Report } from '../../support/backend'
import type { Fault, Line, Point } from './fault'
import { FrontendReader } from './frontend'
import type { FrontendMessage } from './frontend'
import { greet } from './greeting'
import { Transaction } from './ledger'
import { replayAnswer } from './replay'
import type { SessionHost } from './session-host'
import { witnessAnswer } from './witness-answers'
import type { Refusal } from './witness-answers'

interface Portal {
  readonly text: string
  readonly answer: Answer
  sent: number
}

/** One connection to a fake server: speaks the protocol by hand, up to the point where a fault is due. */
export class FakeSession implements Line {
  readonly #socket: Socket
  readonly #host: SessionHost
  readonly #reader = new FrontendReader()
  readonly #statements = new Map<string, string>()
  readonly #portals = new Map<string, Portal>()
  #fault: Fault | undefined
  #deaf = false
  /** After an error in the extended protocol everything is skipped up to Sync. */
  #skipping = false
  #failed = false
  #extended = false
  /** The statement that the present series of extended messages is about. */
  #current: string | undefined
  #copying: string | undefined
  readonly #transaction: Transaction
  #told: Role
  #greeting: ReturnType<typeof greet> | undefined
  /** It belongs to a monitor. */
  isMonitor = false
  /** The handshake is over. */
  ready = false

  constructor(socket: Socket, host: SessionHost) {
    this.#socket = socket
    this.#host = host
    this.#told = host.role
    this.#transaction = new Transaction(host.ledger)
    socket.on('close', () => this.#transaction.lost())
    this.#fault = host.takeConnectionFault()
    this.say('connection')
    socket.on('data', (chunk) => {
      for (const message of this.#deaf || host.frozen ? [] : this.#reader.read(chunk)) this.#hear(message)
    })
  }

  /** Of its transaction. */
  get xid(): string | undefined {
    return this.#transaction.assigned
  }

  write(bytes: Buffer): void {
    if (this.#host.frozen) return
    // What is said in one turn goes out in one piece: a reset takes back what is still under way.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      process.nextTick(() => this.#socket.uncork())
    }
    this.#socket.write(bytes)
  }

  end(): void {
    this.#deaf = true
    this.#transaction.lost()
    this.#socket.end(() => this.#socket.destroy())
  }

  reset(): void {
    this.#deaf = true
    this.#transaction.lost()
    this.#socket.write('', () => this.#socket.resetAndDestroy())
  }

  hush(): void {
    this.#deaf = true
  }

  raise(report: Report): void {
    this.write(backend.errorResponse(report))
    this.#failed = true
    this.#skipping = this.#extended
    this.#transaction.failed(this.#current !== undefined && isCommit(this.#current))
  }

  /**
   * Comes to a point of the conversation: sends its message, and does there what a fault wants. False: what was to follow
   * does not.
   */
  say(point: Point, bytes: Buffer = Buffer.alloc(0)): boolean {
    if (this.#deaf || this.#failed) return false
    const fault = this.#fault
    if (fault?.point !== point) {
      this.write(bytes)
      return true
    }
    this.#fault = undefined
    const early = { before: 0, within: bytes.length >> 1, after: bytes.length }[fault.place]
    this.write(bytes.subarray(0, early))
    for (const action of fault.actions) action(this)
    if (this.#isOver()) return false
    this.write(bytes.subarray(early))
    return true
  }

  /** A method, as it changes under the eyes of whoever asks. */
  #isOver(): boolean {
    return this.#deaf || this.#failed
  }

  #hear(message: FrontendMessage): void {
    if (this.#deaf) return
    if (!this.ready) {
      this.#greeting ??= greet(this, this.#host, () => {
        this.ready = true
        this.#readyForQuery()
      })
      this.#greeting(message)
      return
    }
    if (this.#skipping && message.type !== 'sync' && message.type !== 'terminate') return
    switch (message.type) {
      case 'query':
        this.#extended = false
        this.#query(message.text)
        break
      case 'parse':
        this.#statements.set(message.name, message.text)
        if (this.#begin(message.text)) this.say('parseComplete', backend.parseComplete)
        break
      case 'bind': {
        const text = this.#statements.get(message.statement) ?? ''
        if (this.#current !== text && !this.#begin(text)) break
        const answer = this.#answer(text, message.values)
        if (answer === undefined) break
        this.#portals.set(message.portal, { text, answer, sent: 0 })
        this.say('bindComplete', backend.bindComplete)
        break
      }
      case 'describe': {
        const columns = this.#portals.get(message.name)?.answer.columns
        if (columns === undefined) this.say('noData', backend.noData)
        else this.say('rowDescription', backend.rowDescription(columns))
        break
      }
      case 'execute':
        this.#execute(this.#portals.get(message.portal), message.limit)
        break
      case 'close':
        this.say('closeComplete', backend.closeComplete)
        break
      case 'sync':
        if (this.say('sync')) this.#transaction.endOfImplicit()
        this.#readyForQuery()
        break
      case 'copyData':
        this.say('copyReceived')
        break
      case 'copyDone':
      case 'copyFail':
        this.#endCopy(message.type === 'copyFail')
        break
      case 'terminate':
        this.end()
        break
      default:
        break
    }
  }

  /** A statement has arrived. */
  #begin(text: string): boolean {
    this.#extended = true
    this.#arm(text)
    if (!this.say('statement')) return false
    return this.#permits(text)
  }

  #arm(text: string): void {
    this.#current = text
    if (isMonitorQuestion(text)) this.isMonitor = true
    else this.#host.received(text)
    this.#fault ??= this.#host.takeStatementFault(text)
  }

  #permits(text: string): boolean {
    const refuses = this.#host.role.recovery && /^(insert|update|delete|call|listen)\b/i.test(text)
    if (refuses) this.raise({ severity: 'ERROR', code: '25006', routine: 'PreventCommandIfReadOnly' })
    const isFailed = this.#transaction.status === 'E' && !/^(commit|end|rollback|abort)\b/i.test(text)
    if (isFailed) this.raise({ severity: 'ERROR', code: '25P02', routine: 'exec_simple_query' })
    return !refuses && !isFailed
  }

  #query(text: string): void {
    this.#arm(text)
    if (this.say('statement')) {
      const waits = this.#host.waiters.wait(text, () => this.#host.role)
      if (waits !== undefined) return void waits.then((answer) => this.#waited(text, answer))
      const parts = text.split(';').filter((part) => part.trim() !== '')
      if (parts.length === 0) this.say('emptyQueryResponse', backend.emptyQueryResponse)
      for (const part of parts) if (!this.#simple(part.trim(), part === parts.at(-1))) break
    }
    if (this.#copying === undefined) this.#readyForQuery()
  }

  #waited(text: string, answer: Answer | Refusal): void {
    if ('refused' in answer) this.raise({ severity: 'ERROR', code: answer.refused, routine: 'scanner_yyerror' })
    else if (this.say('rowDescription', backend.rowDescription(answer.columns ?? []))) {
      const portal = { text, answer, sent: 0 }
      if (this.#rows(portal, Infinity)) this.#complete(portal, true)
    }
    this.#readyForQuery()
  }

  #simple(text: string, isLast: boolean): boolean {
    this.#current = text
    if (!this.#permits(text)) return false
    if (/^copy .* from stdin/i.test(text)) {
      this.#copying = text
      return this.say('copyResponse', backend.copyInResponse)
    }
    if (/^start_replication/i.test(text)) {
      this.#copying = text
      return this.say('copyResponse', backend.copyBothResponse) && this.say('copyData', backend.copyData('wal'))
    }
    if (/^copy .* to stdout/i.test(text)) {
      const rows = Array.from({ length: this.#host.rowCount }, (_, index) => backend.copyData(`${index + 1}\n`))
      return (
        this.say('copyResponse', backend.copyOutResponse) &&
        rows.every((row) => this.say('copyData', row)) &&
        this.say('copyDone', backend.copyDone) &&
        this.say('commandComplete', backend.commandComplete(`COPY ${rows.length}`))
      )
    }
    const answer = this.#answer(text)
    if (answer === undefined) return false
    if (answer.columns !== undefined && !this.say('rowDescription', backend.rowDescription(answer.columns)))
      return false
    const portal = { text, answer, sent: 0 }
    return this.#rows(portal, Infinity) && this.#complete(portal, isLast)
  }

  #execute(portal: Portal | undefined, limit: number): void {
    if (portal === undefined) return this.raise({ severity: 'ERROR', code: '34000', routine: 'exec_execute_message' })
    if (!this.#rows(portal, limit === 0 ? Infinity : limit)) return
    if (portal.sent < portal.answer.rows.length) this.say('portalSuspended', backend.portalSuspended)
    else this.#complete(portal, false)
  }

  #rows(portal: Portal, limit: number): boolean {
    for (const row of portal.answer.rows.slice(portal.sent, portal.sent + limit)) {
      portal.sent += 1
      if (!this.say('dataRow', backend.dataRow(row))) return false
    }
    return true
  }

  /** What ends a transaction has ended it before that is said; in the extended protocol Sync ends one that is implicit. */
  #complete({ text, answer }: Portal, endsImplicit: boolean): boolean {
    const tag = this.#transaction.executed(text, answer.tag)
    if (endsImplicit) this.#transaction.endOfImplicit()
    return this.say('commandComplete', backend.commandComplete(tag))
  }

  #endCopy(failed: boolean): void {
    const both = this.#copying?.startsWith('start') === true
    this.#copying = undefined
    if (failed) this.raise({ severity: 'ERROR', code: '57014', routine: 'CopyGetData' })
    else if (!both || this.say('copyDone', backend.copyDone)) {
      this.say('commandComplete', backend.commandComplete('COPY 1'))
    }
    this.#readyForQuery()
  }

  #readyForQuery(): void {
    this.#skipping = this.#failed = false
    this.#current = undefined
    const { role, reportsRole } = this.#host
    if (reportsRole && role !== this.#told) {
      this.#told = role
      for (const [name, value] of roleParameters(role)) this.write(backend.parameterStatus(name, value))
    }
    this.say('readyForQuery', backend.readyForQuery(this.#transaction.status))
  }

  /** Undefined: it was an error. */
  #answer(text: string, values: readonly (string | null)[] = []): Answer | undefined {
    const { role, ledger, direct, rowCount } = this.#host
    const { remoteAddress: clientAddress = '', remotePort = 0 } = this.#socket
    const asked = { role, ledger, transaction: this.#transaction, clientAddress }
    const answer = witnessAnswer(text, values, { ...asked, clientPort: direct ? remotePort : 0, host: this.#host })
    if (answer === undefined) return replayAnswer(text, role) ?? roleAnswer(text, role) ?? plainAnswer(text, rowCount)
    if (!('refused' in answer)) return answer
    this.raise({ severity: 'ERROR', code: answer.refused, routine: 'pg_xact_status' })
    return undefined
  }
}

function isCommit(text: string): boolean {
  return /^(commit|end)\b/i.test(text)
}
