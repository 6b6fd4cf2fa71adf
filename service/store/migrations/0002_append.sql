-- append_events: makes events durable, all or none, and says for each, in the order given, where it stands.
--
-- One array element per event, but for bodies and digests: several events of one request share a body, so
-- body_of says which one is whose. A repeat (the same stream and event_id, in the table or earlier in the
-- batch) is not stored again: it gets the position of the first, and `repeated`.
--
-- Why positions are gapless and in commit order: the lock on a partition's head is held to the commit, and
-- the head only moves by what was inserted. In READ COMMITTED each statement of a volatile function takes a new
-- snapshot, so the statement that follows the lock sees all that was committed by whoever held the lock before.
-- (In REPEATABLE READ the lock itself fails with 40001 if the head has moved since the snapshot.)
--
-- Heads are locked in ascending order, by everybody, so that appends cannot deadlock.
--
-- The settings are about plans. A session keeps the plan it made first, perhaps over an empty table, where
-- reading everything is cheapest; without sequential scans only the key is left. A generic plan saves planning
-- at each call.
create function append_events(
    partitions    smallint[],
    streams       text[],
    event_ids     text[],
    items         text[],
    types         text[],
    origins       text[],
    causes        text[],
    occurred      timestamptz[],
    received      timestamptz[],
    header_sets   text[],
    content_types text[],
    body_of       integer[],
    bodies        bytea[],
    digests       bytea[]
) returns table (at_partition smallint, at_position bigint, repeated boolean)
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    known  bigint[]; -- where each event already stands, null for one not seen yet
    wanted smallint[];
    locked bigint;
    last   bigint;
begin
    -- A delivery that is all repeats ends here: no lock, nothing written, no flush.
    -- A scalar subquery cannot become a join, so it stays one look at the key per event.
    select array_agg((select e.position from event e
                      where e.partition = u.partition and e.stream = u.stream and e.event_id = u.event_id)
                     order by u.ordinal)
        into known
        from unnest(partitions, streams, event_ids) with ordinality as u (partition, stream, event_id, ordinal);
    if array_position(known, null) is null then
        return query select u.partition, u.position, true from unnest(partitions, known) as u (partition, position);
        return;
    end if;

    -- A lone event, the usual case of a quiet hour, needs no sorting and counting.
    if cardinality(partitions) = 1 then
        select h.position into last from head h where h.partition = partitions[1] for no key update;
        if not found then
            raise exception 'head has no row for partition %: restore it before anything is appended', partitions[1];
        end if;
        insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                           received_at, headers, content_type, body, digest)
            values (partitions[1], last + 1, streams[1], event_ids[1], items[1], types[1], origins[1], causes[1],
                    occurred[1], received[1], header_sets[1]::jsonb, content_types[1], bodies[body_of[1]],
                    digests[body_of[1]])
            on conflict on constraint event_once do nothing;
        if found then
            update head h set position = last + 1 where h.partition = partitions[1];
            return query select partitions[1], last + 1, false;
            return;
        end if;
        -- Another append stored it between the first look and the lock.
        return query
            select e.partition, e.position, true from event e
            where e.partition = partitions[1] and e.stream = streams[1] and e.event_id = event_ids[1];
        return;
    end if;

    select array_agg(distinct u.partition) into wanted
        from unnest(partitions, known) as u (partition, position) where u.position is null;
    perform from head h where h.partition = any (wanted) order by h.partition for no key update;
    get diagnostics locked = row_count;
    if locked < cardinality(wanted) then
        raise exception 'head lacks a row for one of the partitions %: restore it before anything is appended', wanted;
    end if;

    return query
    with arrived as (
        select u.*,
               coalesce(known[u.ordinal],
                        (select e.position from event e
                         where e.partition = u.partition and e.stream = u.stream and e.event_id = u.event_id)) as old,
               row_number() over (partition by u.partition, u.stream, u.event_id order by u.ordinal) as nth
        from unnest(partitions, streams, event_ids) with ordinality as u (partition, stream, event_id, ordinal)
    ), numbered as (
        select a.*,
               a.old is null and a.nth = 1 as fresh,
               coalesce(a.old, h.position + count(*) filter (where a.old is null and a.nth = 1)
                                            over (partition by a.partition order by a.ordinal)) as position
        from arrived a join head h on h.partition = a.partition
    ), stored as (
        insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                           received_at, headers, content_type, body, digest)
        select n.partition, n.position, n.stream, n.event_id, items[n.ordinal], types[n.ordinal],
               origins[n.ordinal], causes[n.ordinal], occurred[n.ordinal], received[n.ordinal],
               header_sets[n.ordinal]::jsonb, content_types[n.ordinal], bodies[body_of[n.ordinal]],
               digests[body_of[n.ordinal]]
        from numbered n where n.fresh
    ), moved as (
        update head h set position = n.position
        from (select f.partition, max(f.position) as position from numbered f where f.fresh group by f.partition) n
        where h.partition = n.partition
    )
    select n.partition,
           first_value(n.position) over (partition by n.partition, n.stream, n.event_id order by n.ordinal),
           not n.fresh
    from numbered n order by n.ordinal;
end
$$;
