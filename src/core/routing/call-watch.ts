import type { Token } from '../sql/tokens'
import { plainValueOf } from '../sql/tokens'
import { routeOfFunction, routeOfName } from './pinned'
import { isReadOnlySetting } from './statement-route'
import type { ReadRoute } from './stricter'
import { leader, nowhere, standby, stricter } from './stricter'

/** Is shown the tokens of a text one after the other, and knows which pinned function is called there. */
export class CallWatch {
  /** The token before, if it was a name. */
  #name: string | undefined
  /** What is known of set_config's first argument while it is read. */
  #setting: 'awaited' | 'harmless' | undefined

  /** What this token adds. Between a name and its parenthesis there may be white space and comments: no tokens. */
  next(token: Token): ReadRoute {
    const setting = this.#setting === undefined ? standby : this.#judgeSetting(token, this.#setting)
    const name = this.#name
    this.#name = token.kind === 'word' || token.kind === 'quoted' ? token.text : undefined
    if (token.kind === 'unicode') return stricter(setting, leader('an identifier with Unicode escapes may be any name'))
    if (name === undefined) return setting
    if (token.kind !== 'symbol' || token.text !== '(') return stricter(setting, routeOfName(name))
    if (name === 'set_config') this.#setting = 'awaited'
    return stricter(setting, routeOfFunction(name))
  }

  /** What the last token was, if nothing follows. */
  end(): ReadRoute {
    return this.#name === undefined ? standby : routeOfName(this.#name)
  }

  /** A literal on one line, perhaps with a cast, and a comma: anything else may name any setting. */
  #judgeSetting(token: Token, setting: 'awaited' | 'harmless'): ReadRoute {
    if (setting === 'awaited') {
      const name = plainValueOf(token)
      this.#setting = name !== undefined && !isReadOnlySetting(name) ? 'harmless' : undefined
    } else if (token.kind === 'literal' || (token.kind === 'symbol' && token.text !== ':')) {
      this.#setting = undefined
      if (token.text === ',') return standby
    }
    return this.#setting === undefined
      ? nowhere('set_config() of what may be transaction_read_only lets the session write')
      : standby
  }
}
