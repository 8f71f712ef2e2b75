import type { TargetSessionAttrs } from './target-session-attrs'

/**
 * The passes a connect makes over the hosts, as what it asks of a session in each. `prefer-standby` looks for a standby
 * first; its second pass takes any of the servers that answered in the first, in the same order.
 */
export function passes(wanted: TargetSessionAttrs): readonly Exclude<TargetSessionAttrs, 'prefer-standby'>[] {
  return wanted === 'prefer-standby' ? ['standby', 'any'] : [wanted]
}
