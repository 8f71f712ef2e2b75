import type { ClientConfig } from 'pg'

/**
 * The same options, but what their password function answers goes through `mind` first. Without a function they are given
 * back as they are.
 */
export function withPassword(
  options: ClientConfig,
  mind: (answer: unknown) => unknown,
  failed: () => unknown = () => undefined,
): ClientConfig {
  const { password } = options
  if (typeof password !== 'function') return options
  const asked = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    let answer: unknown
    try {
      answer = (await Reflect.apply(password, this, args)) as unknown
    } catch (error) {
      await failed()
      throw error
    }
    return mind(answer)
  }
  // By descriptors: pools hide `password` from enumeration.
  const descriptors = Object.getOwnPropertyDescriptors(options)
  const enumerable = descriptors.password?.enumerable ?? true
  const copy = Object.defineProperties({}, descriptors) as ClientConfig
  return Object.defineProperty(copy, 'password', { value: asked, enumerable, writable: true, configurable: true })
}
