-- Whole streams of a partition, in the order of their names: for questions about the past of all of them.

-- name: event
partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,
headers::text, content_type, body, digest

-- name: streams_after
-- The next streams of a partition, with how many events each has; its index alone tells.
select stream, count(*)
from event
where partition = %(partition)b and stream > %(after)b
group by stream
order by stream
limit %(limit)b

-- name: read_past
-- What had happened by one instant and was known by the other (null: whenever), of these streams.
select {event}
from event
where partition = %(partition)b and stream = any (%(streams)b::text[])
  and (%(as_of)b::timestamptz is null or occurred_at <= %(as_of)b::timestamptz)
  and (%(known_at)b::timestamptz is null or recorded_at <= %(known_at)b::timestamptz)
order by stream, position
