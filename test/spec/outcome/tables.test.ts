import { describe, expect, it } from 'vitest'
import { markerTableDdl, readMarkerTable } from '../../../src/core/outcome/marker-table'
import tables from './tables.json'

describe('the table of markers', () => {
  it.each(tables)('$given is $name', ({ given, name, index }) => {
    expect(readMarkerTable(given) ?? { name: null }).toEqual(index === undefined ? { name } : { name, index })
  })

  it('has no half characters in its name, which would be sent as others', () => {
    expect(readMarkerTable('"\ud800"')).toBeUndefined()
  })

  it('is created with three columns and an index, where it does not exist', () => {
    expect(markerTableDdl({ name: 'app.markers', index: 'markers_written_at_idx' })).toBe(
      `-- One row for each transaction that may have to be looked up. Who writes needs select, insert, update and delete on it.
create table if not exists app.markers (
  id uuid primary key,
  committed boolean not null default true,
  written_at timestamptz not null default now()
);
create index if not exists markers_written_at_idx on app.markers (written_at);
`,
    )
  })
})
