import { ConnInfoError } from '../../errors'
import { kindOf } from './given-options'

/** A value that cannot be used, for the error that says so. What has no short text of its own is named by its kind. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value)
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** An option that is true or false; left out it is false. @throws {@link ConnInfoError} for anything else. */
export function readFlag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new ConnInfoError(`${name} must be true or false, not ${show(value)}`)
}
