-- name: record
partition, position, recorded_at, stream, event_id, item, type, origin, cause, occurred_at, received_at,
content_type, digest

-- name: behind
-- The partitions that have events to seal.
select h.partition
from head h join seal_head s on s.partition = h.partition
where h.partition = any (%(partitions)s::smallint[]) and h.position > s.position
order by h.partition

-- name: heads
select partition, position from head where partition = any (%(partitions)s::smallint[])

-- name: sealed
select partition, position from seal_head where partition = any (%(partitions)s::smallint[])

-- name: claim
-- Takes those of the partitions that no other sealer works on, and says how far each is sealed.
select partition, position
from seal_head
where partition = any (%(partitions)s::smallint[])
order by partition
for no key update skip locked

-- name: chains
-- The chains' values at some positions.
select l.partition, l.chain
from unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) as n (partition, position)
join seal l on l.partition = n.partition and l.position = n.position

-- name: copy_unsealed
-- The next events of some partitions, without their bodies.
copy (select {record}, headers, source, body
      from unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) as claimed (in_partition, after)
      cross join lateral (select {record}, headers::text, source, null::bytea as body
                          from event
                          where partition = in_partition and position > after
                          order by position
                          limit %(limit)s) following
      order by partition, position)
to stdout (format binary)

-- name: add_seals
insert into seal (partition, position, headers, chain)
select * from unnest(%(partitions)s::smallint[], %(positions)s::bigint[], %(headers)s::bytea[], %(chains)s::bytea[])

-- name: move_seal_heads
update seal_head s set position = n.position
from unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) as n (partition, position)
where s.partition = n.partition

-- name: seal_heads
-- How far partitions that hold anything are sealed, and their chains there, in one snapshot; null where a row is missing.
select p.partition, s.position, l.chain
from unnest(%(partitions)s::smallint[]) as p (partition)
left join head h on h.partition = p.partition
left join seal_head s on s.partition = p.partition
left join seal l on l.partition = s.partition and l.position = s.position
where coalesce(greatest(h.position, s.position), 1) > 0
order by p.partition

-- name: extents
-- How far each table reaches in each partition, in one snapshot. The subqueries look at the last entry of a key.
select p.partition, h.position, s.position,
       coalesce((select max(e.position) from event e where e.partition = p.partition), 0),
       coalesce((select max(l.position) from seal l where l.partition = p.partition), 0),
       (select min(e.position) from event e where e.partition = p.partition and e.position < 1)
from unnest(%(partitions)s::smallint[]) as p (partition)
left join head h on h.partition = p.partition
left join seal_head s on s.partition = p.partition
order by p.partition

-- name: foreign
-- The first event on either side of the partitions that there are. Each looks at one entry of the key.
(select partition, position from event where partition < 0 order by partition, position limit 1)
union all
(select partition, position from event where partition > 255 order by partition, position limit 1)

-- name: names
-- Whose event stands at a position, and when it is said to have happened, in UTC; null for what is no time.
select stream, event_id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from event
where partition = %(partition)s and position = %(position)s
limit 1

-- name: seals
-- The seals of a span.
select position, headers, chain from seal
where partition = %(partition)s and position > %(after)s and position <= %(upto)s

-- name: copy_records
-- The events of a span, with headers, source and body where the event is one of those asked for. Of a period, what
-- says which bodies are erased is always one of them.
copy (select {record}, case when wanted then headers::text end, source, case when wanted then body end
      from (select e.*,
                   case when %(stream)s::text is not null then stream = %(stream)s
                        else type = 'tenure.erased'
                             or (%(since)s::timestamptz is null or recorded_at >= %(since)s)
                                and (%(until)s::timestamptz is null or recorded_at < %(until)s) end as wanted
            from event e
            where partition = %(partition)s and position > %(after)s and position <= %(upto)s) chosen
      order by position)
to stdout (format binary)

-- name: copy_without_bodies
-- The events of a span, but for their bodies.
copy (select {record}, headers::text, source, null::bytea
      from event
      where partition = %(partition)s and position > %(after)s and position <= %(upto)s
      order by position)
to stdout (format binary)
