import { createHmac, pbkdf2Sync } from 'node:crypto'

const iterations = 4096
const salt = Buffer.from('salt of the fake server')

/** The server's side of one SCRAM-SHA-256 exchange. The client's proof is not looked at; the server's is right. */
export class Scram {
  readonly #password: string
  #clientFirstBare = ''
  #serverFirst = ''

  constructor(password: string) {
    this.#password = password
  }

  /** The answer to SASLInitialResponse: the body of AuthenticationSASLContinue. */
  continue(body: Buffer): Buffer {
    const start = body.indexOf(0) + 5
    this.#clientFirstBare = body.toString('utf8', start).replace(/^n,,/, '')
    const nonce = /r=([^,]*)/.exec(this.#clientFirstBare)?.[1] ?? ''
    this.#serverFirst = `r=${nonce}fake,s=${salt.toString('base64')},i=${iterations}`
    return Buffer.from(this.#serverFirst)
  }

  /** The answer to SASLResponse: the body of AuthenticationSASLFinal. */
  final(body: Buffer): Buffer {
    const withoutProof = body.toString('utf8').replace(/,p=.*$/, '')
    const salted = pbkdf2Sync(this.#password, salt, iterations, 32, 'sha256')
    const serverKey = hmac(salted, 'Server Key')
    const signature = hmac(serverKey, [this.#clientFirstBare, this.#serverFirst, withoutProof].join(','))
    return Buffer.from(`v=${signature.toString('base64')}`)
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
