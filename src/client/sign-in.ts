import type { Client, ClientConfig } from 'pg'
import { serverCode } from '../core/retry/sqlstate'
import { dial } from './dial'
import type { Dial, Dialling } from './dial'
import { withPassword } from './with-password'

/** The options of one connection, and what follows when the server refuses the password in them. */
export interface SignIn {
  readonly options: ClientConfig
  /**
   * After 28P01: the options for one more attempt, with the password asked for anew; `undefined` if that would be no use.
   * A password function that gives the same answer again makes that attempt end with this very error, before anything is sent.
   */
  again(error: Error): ClientConfig | undefined
}

/**
 * A password may be changed between our asking for it and the server's. So one that comes from a function or a
 * file is asked for once more when it is refused; the same one is never sent twice, since servers count.
 *
 * @param build - makes the options anew, reading files anew.
 * @throws what `build` throws.
 */
export function prepareSignIn(build: () => ClientConfig): SignIn {
  const first = build()
  let sent: unknown = first.password
  const options = withPassword(first, (answer) => (sent = answer))
  return {
    options,
    again(error) {
      if (serverCode(error) !== '28P01') return undefined
      const second = attempt(build)
      if (second === undefined || (typeof second.password !== 'function' && second.password === sent)) return undefined
      return withPassword(second, (answer) => {
        if (answer === sent) throw error
        return answer
      })
    },
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** {@link dial}, and once more where the sign-in says so. */
export function dialSigningIn(
  client: Client,
  Base: typeof Client,
  how: Omit<Dial, 'options'>,
  signIn: SignIn,
  callback: (error: Error | undefined) => void,
): Dialling {
  let dialling = dial(client, Base, { ...how, options: signIn.options }, (error) => {
    const again = error === undefined ? undefined : signIn.again(error)
    if (again === undefined) return callback(error)
    dialling = dial(client, Base, { ...how, options: again }, callback)
  })
  return { abort: (reason) => dialling.abort(reason) }
}
