import { roleParameters } from './answers'
import * as backend from '../../support/backend'
import type { FakeSession } from './fake-session'
import type { SessionHost } from './session-host'
import type { FrontendMessage } from './frontend'
import { Scram } from './scram'
import { backendPid } from './witness-answers'

/** How a fake server wants to know who is there. The password is never looked at, but SCRAM's proof of it is right. */
export type Authentication = 'trust' | 'password' | 'md5' | 'scram'

/** The password with which SCRAM succeeds. */
export const password = 'secret'

/** One handshake: takes the client's messages until the session is ready. */
export function greet(session: FakeSession, host: SessionHost, ready: () => void): (message: FrontendMessage) => void {
  const scram = new Scram(password)
  let answers = 0

  function request(): void {
    const requests = {
      trust: undefined,
      password: backend.authenticationCleartextPassword,
      md5: backend.authentication(5, Buffer.from('salt')),
      scram: backend.authentication(10, backend.cstring('SCRAM-SHA-256'), Buffer.from([0])),
    }
    const asked = requests[host.authentication]
    if (asked === undefined) welcome()
    else session.say('authenticationRequest', asked)
  }

  function answered(body: Buffer): void {
    answers += 1
    if (!session.say('password')) return
    if (host.authentication !== 'scram') return welcome()
    if (answers === 1) session.say('saslContinue', backend.authentication(11, scram.continue(body)))
    else if (session.say('saslFinal', backend.authentication(12, scram.final(body)))) welcome()
  }

  function welcome(): void {
    const parameters = [['client_encoding', 'UTF8'], ...(host.reportsRole ? roleParameters(host.role) : [])] as const
    const told =
      session.say('authenticationOk', backend.authenticationOk) &&
      parameters.every(([name, value]) => session.say('parameterStatus', backend.parameterStatus(name, value))) &&
      session.say('backendKeyData', backend.backendKeyData(backendPid))
    if (told) ready()
  }

  return (message) => {
    switch (message.type) {
      case 'sslRequest':
        if (session.say('sslRequest')) session.say('sslAnswer', Buffer.from('N'))
        break
      case 'startup':
        if (session.say('startup')) request()
        break
      case 'password':
        answered(message.body)
        break
      default:
        session.end()
    }
  }
}
