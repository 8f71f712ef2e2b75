import type { Obstacle } from '../core/topology/obstacle'
import { ForeignClusterError, SplitBrainError, StalePrimaryError } from '../errors'

/** What a refused caller is told of a primary that answers and is not written to. */
export function obstacleError(obstacle: Obstacle): SplitBrainError | StalePrimaryError | ForeignClusterError {
  switch (obstacle.type) {
    case 'split-brain':
      return new SplitBrainError(obstacle)
    case 'stale':
      return new StalePrimaryError(obstacle)
    case 'foreign':
      return new ForeignClusterError(obstacle)
    default:
      return obstacle satisfies never
  }
}
