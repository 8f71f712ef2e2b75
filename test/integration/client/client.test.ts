import { clientSuite } from './support/client-suite'

clientSuite('the newest pg')
