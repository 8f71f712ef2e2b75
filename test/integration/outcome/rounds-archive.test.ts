import { useCluster } from '../pool/support/clusters'
import { promotedFromOlderTimeline } from './support/forks'
import { byWitnesses, playRounds, slowCommits } from './support/rounds'

playRounds(
  useCluster({ ...slowCommits, archive: true }),
  [
    {
      what: 'a standby of an older timeline, promoted by way of a shared archive',
      single: false,
      disguised: true,
      inflict: promotedFromOlderTimeline,
    },
  ],
  [byWitnesses],
)
