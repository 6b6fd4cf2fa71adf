-- name: event
partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,
headers::text, content_type, body, digest

-- name: read_partition
-- The next events of a partition, as many as fit in the page's bytes, but always one.
select {event}
from (select e.*, sum(octet_length(body)) over (order by position) - octet_length(body) as bytes_before
      from event e
      where partition = %(partition)b and position > %(after)b
      order by position
      limit %(limit)b) page
where bytes_before < %(page_bytes)b
order by position

-- name: read_between
-- The events of several partitions between two positions each, as many as fit in the page's bytes, but always one.
select {event}
from (select e.*, sum(octet_length(e.body)) over (order by e.partition, e.position) - octet_length(e.body) as bytes_before
      from unnest(%(partitions)b::smallint[], %(after)b::bigint[], %(upto)b::bigint[]) as u (partition, after, upto)
      join event e on e.partition = u.partition and e.position > u.after and e.position <= u.upto) page
where bytes_before < %(page_bytes)b
order by partition, position

-- name: read_streams
-- What several streams hold after a position each, with the number of the stream in the list: whole, as many of the
-- first ones as fit in the page's bytes, but always one. Of a stream without such events there is an empty row.
select number, {event}
from (select u.number, e.*,
             sum(octet_length(e.body)) over (order by u.number groups between unbounded preceding and 1 preceding)
                 as bytes_before
      from unnest(%(partitions)b::smallint[], %(streams)b::text[], %(after)b::bigint[])
           with ordinality as u (of_partition, of_stream, after, number)
      left join lateral (select * from event
                         where partition = u.of_partition and stream = u.of_stream and position + 0 > u.after
                         order by position + 0
                         limit %(limit)b) e on true) page
where coalesce(bytes_before, 0) < %(page_bytes)b
order by number, position

-- name: read_stream
-- A stream's events. The additions of 0 keep the planner from walking the partition by position, which it prefers
-- as long as it knows nothing of the table's size.
select {event}
from event
where partition = %(partition)b and stream = %(stream)b and position + 0 > %(after)b
order by position + 0
limit %(limit)b

-- name: grown
-- Those of streams with a position that have later events.
select u.stream, u.position
from unnest(%(partitions)b::smallint[], %(streams)b::text[], %(positions)b::bigint[])
     as u (partition, stream, position)
where exists (select from event e
              where e.partition = u.partition and e.stream = u.stream and e.position + 0 > u.position)

-- name: find
-- The one event of that id in a stream.
select {event}
from event
where partition = %(partition)b and stream = %(stream)b and event_id = %(event_id)b and position + 0 > 0

-- name: find_named
-- Whatever has that id in a partition: an act of an operator that concerns two streams stands in each.
select {event}
from event
where partition = %(partition)b and event_id = %(event_id)b and position + 0 > 0
order by position
limit %(limit)b

-- name: heads
-- How far partitions have come.
select partition, position from head where partition = any (%(partitions)b::smallint[])

-- name: counts
-- How much there is. Positions have no gaps, so heads count events without reading them.
select coalesce(sum(position), 0)::bigint, count(*) filter (where position > 0), coalesce(max(position), 0),
       pg_total_relation_size('event')
from head
where partition = any (%(partitions)b::smallint[])

-- name: unsealed
-- Of the partitions that are not sealed up to their head: how many events are not, and for how long the oldest is not.
select h.partition, h.position - s.position,
       coalesce(extract(epoch from clock_timestamp() - e.recorded_at), 0)::float8
from head h
join seal_head s on s.partition = h.partition
left join event e on e.partition = h.partition and e.position = s.position + 1
where h.partition = any (%(partitions)b::smallint[]) and h.position > s.position
order by h.partition

-- name: copy_by_position
copy (select {event}
      from event
      where partition = %(partition)s and position > %(after)s and position <= %(upto)s
      order by position)
to stdout (format binary)

-- name: folded
-- What a fold reads of an event.
partition, position, stream, event_id, item, type, origin, occurred_at, received_at, recorded_at, body

-- name: fold_by_position
select {folded}
from event
where partition = %(partition)b and position > %(after)b and position <= %(upto)b
order by position

-- name: fold_by_stream
copy (select {folded}
      from event
      where partition = %(partition)s and position <= %(upto)s
      order by stream, position)
to stdout (format binary)

-- name: whole_copies
-- Of pairs of streams those where everything that belongs to both stands in both.
select link.from_stream, link.to_stream, coalesce(max(event.position), 0)
from unnest(%(from_partitions)s::smallint[], %(from_streams)s::text[], %(to_partitions)s::smallint[],
            %(to_streams)s::text[]) as link (from_partition, from_stream, to_partition, to_stream)
left join event on event.partition = link.from_partition and event.stream = link.from_stream
group by link.from_stream, link.to_stream
having coalesce(bool_and(
         not (event.origin = any (%(origins)s::text[]) or event.type = any (%(types)s::text[]))
         or exists (select from event as copy
                    where copy.partition = link.to_partition and copy.stream = link.to_stream
                      and copy.event_id = event.event_id)), true)
