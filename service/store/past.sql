-- Whole streams of a partition, in the order of their names: for questions about the past of all of them.

-- name: event
partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,
headers::text, content_type, body, digest

-- name: streams_after
-- The next streams of a partition, with how many events each has; its index alone tells. The last of them is looked for
-- first, name by name: a planner that knows nothing of the table yet would read the whole partition for every page.
with recursive name as (
    select min(stream) as stream, 1 as number
    from event
    where partition = %(partition)b and stream > %(after)b
    union all
    select (select min(event.stream) from event where event.partition = %(partition)b and event.stream > name.stream),
           number + 1
    from name
    where stream is not null and number < %(limit)b
)
select stream, count(*)
from event
where partition = %(partition)b and stream > %(after)b and stream <= (select max(stream) from name)
group by stream
order by stream

-- name: read_past
-- What had happened by one instant and was known by the other (null: whenever), of these streams.
select {event}
from event
where partition = %(partition)b and stream = any (%(streams)b::text[])
  and position + 0 > 0 -- in front of the first is nothing that the chain reaches; see read_stream for the addition
  and (%(as_of)b::timestamptz is null or occurred_at <= %(as_of)b::timestamptz)
  and (%(known_at)b::timestamptz is null or recorded_at <= %(known_at)b::timestamptz)
order by stream, position
