// pg-cursor ships no types of its own
declare module 'pg-cursor' {
  import type { Submittable } from 'pg'

  interface Cursor<Row> extends Submittable {
    read(count: number): Promise<Row[]>
    close(): Promise<void>
  }
  const Cursor: new <Row>(text: string, values?: unknown[]) => Cursor<Row>
  export = Cursor
}
