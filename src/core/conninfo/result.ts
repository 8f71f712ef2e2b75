/**
 * Why a connection string, a file or a list was refused. `message` never quotes what was refused: a password may stand
 * anywhere in a string that is malformed.
 */
export interface Problem {
  /**
   * `syntax`: not well-formed; `keyword`: well-formed, but no such keyword; `encoding`: percent-coding or characters that
   * no server could be sent; `pairing`: host, hostaddr and port lists of different lengths.
   */
  readonly kind: 'syntax' | 'keyword' | 'encoding' | 'pairing'
  readonly message: string
}

/** A value, or the reason why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export function success<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function failure(kind: Problem['kind'], message: string): Result<never> {
  return { ok: false, problem: { kind, message } }
}
