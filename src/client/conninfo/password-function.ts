import { putFault } from '../../core/selection/fault'
import { PgLeaderError } from '../../errors'

/** A password that is asked for when a server wants one; `this` and the arguments are pg's business. */
export type PasswordFunction = (this: unknown, ...args: unknown[]) => unknown

/**
 * The password where none was found. Without any, pg would search a password file by itself, and by the address it dials.
 * One constant, so that all hosts that have no password are asked with the same.
 */
export const noPassword = (): never => {
  const message =
    'no password supplied: the server asks for one; give it as option, in the connection string, ' +
    'as PGPASSWORD, or for this host, port, database and user in the password file'
  throw putFault(new PgLeaderError(message, '28P01'), 'caller')
}

const blaming = new WeakMap<PasswordFunction, PasswordFunction>()

/**
 * The user's password function, but what it throws is noted to be the caller's fault, whatever code it carries. The same
 * function gives the same one, with the same `length`.
 */
export function blameCaller(password: PasswordFunction): PasswordFunction {
  let wrapper = blaming.get(password)
  if (wrapper === undefined) {
    wrapper = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      try {
        return await Reflect.apply(password, this, args)
      } catch (error) {
        if (typeof error !== 'object' || error === null) {
          throw putFault(new Error('the password function failed', { cause: error }), 'caller')
        }
        putFault(error, 'caller')
        throw error
      }
    }
    Object.defineProperty(wrapper, 'length', { value: password.length })
    blaming.set(password, wrapper)
  }
  return wrapper
}
