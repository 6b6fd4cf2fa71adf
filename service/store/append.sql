-- name: append
-- Makes events durable, in one transaction of its own; see append_events in the migrations.
select * from append_events(
    %b::smallint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
    %b::timestamptz[], %b::text[], %b::text[], %b::integer[], %b::bytea[], %b::bytea[])

-- name: append_one
-- The same for an event by itself; see append_event in the migrations.
select * from append_event(
    %b::smallint, %b::text, %b::text, %b::text, %b::text, %b::text, %b::text, %b::timestamptz,
    %b::timestamptz, %b::text, %b::text, %b::bytea, %b::bytea)

-- name: lock_heads
-- Keeps partitions as they are until the end of the transaction: in ascending order, as every append does.
select from head where partition = any (%(partitions)b::smallint[]) order by partition for no key update
