/** Messages of the server's, as the protocol's chapter in the manual describes them. */

export const authenticationOk = authentication(0)
export const authenticationCleartextPassword = authentication(3)
export const parseComplete = message('1')
export const bindComplete = message('2')
export const closeComplete = message('3')
export const noData = message('n')
export const portalSuspended = message('s')
export const emptyQueryResponse = message('I')
export const copyDone = message('c')
export const copyInResponse = copyResponse('G')
export const copyOutResponse = copyResponse('H')
export const copyBothResponse = copyResponse('W')

/** A part of a message: bytes, or a text as it is, without a zero at its end. */
type Part = Uint8Array | string

/** One message: its type, its length, its body. */
export function message(type: string, ...body: readonly Part[]): Buffer {
  const bytes = Buffer.concat(body.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(bytes.length + 4), bytes])
}

/** The header of a message that says of itself what need not be true. */
export function header(type: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length)])
}

/** AuthenticationRequest, of any kind. */
export function authentication(kind: number, ...body: readonly Part[]): Buffer {
  return message('R', int32(kind), ...body)
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', cstring(name), cstring(value))
}

export function backendKeyData(pid: number): Buffer {
  return message('K', int32(pid), int32(0))
}

export type TransactionStatus = 'I' | 'T' | 'E'

export function readyForQuery(status: TransactionStatus): Buffer {
  return message('Z', Buffer.from(status))
}

/** Every column is text. */
export function rowDescription(columns: readonly string[]): Buffer {
  const fields = columns.map((name) =>
    Buffer.concat([cstring(name), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]),
  )
  return message('T', int16(columns.length), ...fields)
}

export function dataRow(values: readonly (string | null)[]): Buffer {
  const fields = values.map((value) => {
    if (value === null) return int32(-1)
    const bytes = Buffer.from(value)
    return Buffer.concat([int32(bytes.length), bytes])
  })
  return message('D', int16(values.length), ...fields)
}

export function commandComplete(tag: string): Buffer {
  return message('C', cstring(tag))
}

export function copyData(text: string): Buffer {
  return message('d', Buffer.from(text))
}

export function notificationResponse(channel: string, payload: string): Buffer {
  return message('A', int32(1), cstring(channel), cstring(payload))
}

/** What an ErrorResponse or NoticeResponse tells. */
export interface Report {
  readonly severity: 'ERROR' | 'FATAL' | 'WARNING' | 'NOTICE'
  readonly code: string
  /** The function of the server's that raised it; a pooler has none to name. */
  readonly routine?: string
}

export function errorResponse(report: Report): Buffer {
  return message('E', reportFields(report))
}

export function noticeResponse(report: Report): Buffer {
  return message('N', reportFields(report))
}

function reportFields({ severity, code, routine }: Report): Buffer {
  const fields = {
    S: severity,
    V: severity,
    C: code,
    M: `it says ${code}`,
    ...(routine === undefined ? {} : { R: routine }),
  }
  const text = Object.entries(fields).map(([name, value]) => cstring(name + value))
  return Buffer.concat([...text, Buffer.from([0])])
}

function copyResponse(type: string): Buffer {
  return message(type, Buffer.from([0]), int16(1), int16(0))
}

export function cstring(text: string): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.from([0])])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
