export * from 'pg'

/** pg's libpq bindings; there are none here. */
export const native = null

export { Client } from './facade/client'
export type { ClientOptions, HostOptions } from './facade/client'
export { Pool } from './facade/pool'
export type {
  MarkedQuery,
  MarkedQueryForms,
  MonitorOptions,
  PoolConfig,
  ReadOptions,
  SplitBrainEvent,
} from './facade/pool-types'
export { outcomeTable } from './facade/outcome-option'
export type { OutcomeTable } from './facade/outcome-option'
export { wrap } from './facade/wrap'
export type { WrapOptions } from './facade/wrap'
export { parseConnInfo } from './client/conninfo/parse'
export type { ConnInfo, ConnInfoHost } from './client/conninfo/parse'
export type { StatementParser } from './core/routing/statement-parser'
export type { TargetSessionAttrs } from './core/selection/target-session-attrs'
export type { Authority, ConfirmedLeader } from './discovery/authority'
export type { Discovery, HostEntry } from './discovery/discovery'
export { primary, readOnly } from './execution/read-scope'
export { session } from './execution/session-scope'
export type { StatementMarks } from './execution/run-query'
export type { TransactionOptions } from './execution/transaction-options'
export type { PauseOptions } from './pool/pause'
export type { ListenEvent, ListenGap, ListenNotification, Subscription } from './pool/subscription'
export type { FailoverEvent } from './telemetry/failover-story'
export type { HostRole, HostSnapshot, TopologySnapshot } from './topology/snapshot'
export * from './errors'
