import type { ConnInfoKeyword, ConnInfoParameters } from './keywords'

/** Where a value comes from, strongest first. */
export interface ConnInfoSources {
  /** The connection string and the options of a Pool or Client. */
  readonly explicit: ConnInfoParameters
  /** The group of a service file. */
  readonly service: ConnInfoParameters
  /** The environment's PG* variables. */
  readonly environment: ConnInfoParameters
}

/** libpq's order: explicit, then service file, then environment. Built-in defaults are left to whoever uses the value. */
export function resolveConnInfo(sources: ConnInfoSources): ConnInfoParameters {
  return Object.freeze({ ...sources.environment, ...sources.service, ...sources.explicit })
}

/** Which source a resolved value was taken from, in words for an error or a debug line. */
export function sourceOf(keyword: ConnInfoKeyword, sources: ConnInfoSources): string {
  if (keyword in sources.explicit) return 'connection string or options'
  if (keyword in sources.service) return 'service file'
  if (keyword in sources.environment) return 'environment'
  return 'default'
}
