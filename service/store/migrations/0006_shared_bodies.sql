-- append_events: as it was (0002 tells its reasons), but what events of one delivery share is compressed once: the row
-- of the first keeps the body, and the others take it from there as it was stored. Compressing a large body costs more
-- than all else of an event.
create or replace function append_events(
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
    places bigint[]; -- where each event stands in the end
    fresh  boolean[];
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

    select array_agg(distinct u.partition) into wanted
        from unnest(partitions, known) as u (partition, position) where u.position is null;
    perform from head h where h.partition = any (wanted) order by h.partition for no key update;
    get diagnostics locked = row_count;
    if locked < cardinality(wanted) then
        raise exception 'head lacks a row for one of the partitions %: restore it before anything is appended', wanted;
    end if;

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
    ), told as (
        select n.*,
               first_value(n.position) over (partition by n.partition, n.stream, n.event_id order by n.ordinal) as place,
               n.ordinal = min(n.ordinal) filter (where n.fresh) over (partition by body_of[n.ordinal]) as brings_body
        from numbered n
    ), stored as (
        insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                           received_at, headers, content_type, body, digest)
        select n.partition, n.position, n.stream, n.event_id, items[n.ordinal], types[n.ordinal],
               origins[n.ordinal], causes[n.ordinal], occurred[n.ordinal], received[n.ordinal],
               header_sets[n.ordinal]::jsonb, content_types[n.ordinal], bodies[body_of[n.ordinal]],
               digests[body_of[n.ordinal]]
        from told n where n.fresh and n.brings_body
    ), moved as (
        update head h set position = n.position
        from (select f.partition, max(f.position) as position from numbered f where f.fresh group by f.partition) n
        where h.partition = n.partition
    )
    select array_agg(n.place order by n.ordinal), array_agg(n.fresh order by n.ordinal) into places, fresh from told n;

    if cardinality(bodies) < cardinality(partitions) then
        insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                           received_at, headers, content_type, body, digest)
        select n.partition, n.place, streams[n.ordinal], event_ids[n.ordinal], items[n.ordinal], types[n.ordinal],
               origins[n.ordinal], causes[n.ordinal], occurred[n.ordinal], received[n.ordinal],
               header_sets[n.ordinal]::jsonb, content_types[n.ordinal], held.body, digests[n.body]
        from (select u.*, min(u.ordinal) over (partition by u.body) as bringer
              from unnest(partitions, places, fresh, body_of) with ordinality as u (partition, place, fresh, body, ordinal)
              where u.fresh) n
        join event held on held.partition = partitions[n.bringer] and held.position = places[n.bringer]
        where n.bringer < n.ordinal;
    end if;

    return query
    select u.partition, u.place, not u.fresh from unnest(partitions, places, fresh) as u (partition, place, fresh);
end
$$;
