import type pg from 'pg'

/** The texts that are parsed by a server from now on, and what goes out beside them; what the pool adds is there by this name. */
export function record({ connection }: pg.PoolClient, added: string, isAdded: (text: string) => boolean): string[] {
  const sent: string[] = []
  const over = (name: 'flush' | 'sync'): void => {
    const act = connection[name].bind(connection)
    connection[name] = () => {
      sent.push(name)
      act()
    }
  }
  const parse = connection.parse.bind(connection)
  connection.parse = (query: { text: string }, more: never) => {
    sent.push(isAdded(query.text) ? added : query.text)
    parse(query as never, more)
  }
  over('flush')
  over('sync')
  return sent
}
