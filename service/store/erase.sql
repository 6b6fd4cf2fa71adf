-- name: erasures
-- What was erased, as the events that say so do: they name positions of their own stream.
select stream, body from event
where partition between 0 and 255 and type = 'tenure.erased' and origin = 'operator'

-- name: heads
select partition, position from head where partition between 0 and 255 and position > 0 order by partition

-- name: read_stream
select partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,
       headers::text, content_type, body, digest
from event
where partition = %(partition)s and stream = %(stream)s and position > %(after)s
order by position

-- name: originals
-- All at once: a customer's history is relayed into each of their streams, event by event.
select partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,
       headers::text, content_type, body, digest
from event
join unnest(%(partitions)s::smallint[], %(streams)s::text[], %(event_ids)s::text[])
     as wanted (partition, stream, event_id) using (partition, stream, event_id)

-- name: begin
-- One act at a time, and the door in the table's trigger, both to the end of the transaction.
select pg_advisory_xact_lock(hashtext('tenure erasure')), set_config('tenure.erasure', 'on', true)

-- name: redact
-- Only what is still as it was read: of two who erase at once the second begins anew.
update event set body = %(body)s, headers = '{{}}'
where partition = %(partition)s and position = %(position)s and body = %(before)s

-- name: versions
-- Those that are being made first: they may have to be waited for, and the one that is read stands still meanwhile.
select table_schema from information_schema.tables
 where table_name = 'lease' and table_schema ~ '^projection_[0-9]+$'
 order by exists (select from projection_version where is_read and table_schema = 'projection_' || version), 1

-- name: rows_of_streams
-- Tables of all versions of the projections that hold something of single streams.
select columns.table_schema, columns.table_name,
       array_agg(columns.column_name::text) filter (where columns.udt_name in ('text', '_text', 'json', 'jsonb', 'bytea')),
       array_agg(columns.data_type::text) filter (where columns.udt_name in ('text', '_text', 'json', 'jsonb', 'bytea'))
from information_schema.columns
join information_schema.tables using (table_schema, table_name)
where tables.table_type = 'BASE TABLE' and columns.table_schema ~ '^projection_[0-9]+$'
group by 1, 2
having bool_or(columns.column_name = 'stream') and bool_or(columns.column_name = 'partition')
