import type { ConnInfoParameters } from '../../core/conninfo/keywords'
import type { GivenOptions } from './given-options'
import type { HostSettings } from './host-list'
import type { Surroundings } from './surroundings'
import type { TlsRequest } from './tls'

/** Everything that was resolved once and holds for every host. */
export interface Resolved {
  readonly given: GivenOptions
  readonly parameters: ConnInfoParameters
  /** The password of the connection string, which wins over the `password` option. */
  readonly textPassword: string | undefined
  readonly extra: Readonly<Record<string, string>>
  readonly settings: ReadonlyMap<string, HostSettings>
  readonly tls: TlsRequest
  readonly surroundings: Surroundings
  readonly note: (line: string) => void
}
