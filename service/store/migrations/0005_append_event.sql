-- append_event: makes one event durable, and says where it stands: append_events in short.
--
-- One event at a time is the usual case of a quiet hour, and needs no arrays, no sorting and no counting. A repeat ends
-- at the first look, as there: no lock, nothing written, no flush.
create function append_event(
    to_partition    smallint,
    to_stream       text,
    new_id          text,
    new_item        text,
    new_type        text,
    new_origin      text,
    new_cause       text,
    new_occurred_at timestamptz,
    new_received_at timestamptz,
    header_set      text,
    new_content     text,
    new_body        bytea,
    new_digest      bytea,
    out at_partition smallint,
    out at_position  bigint,
    out repeated     boolean
) language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
    at_partition := to_partition;
    repeated := true;
    select e.position into at_position from event e
        where e.partition = to_partition and e.stream = to_stream and e.event_id = new_id;
    if found then
        return;
    end if;
    update head h set position = h.position + 1 where h.partition = to_partition returning h.position into at_position;
    if not found then
        raise exception 'head has no row for partition %: restore it before anything is appended', to_partition;
    end if;
    insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                       received_at, headers, content_type, body, digest)
        values (to_partition, at_position, to_stream, new_id, new_item, new_type, new_origin, new_cause,
                new_occurred_at, new_received_at, header_set::jsonb, new_content, new_body, new_digest)
        on conflict on constraint event_once do nothing;
    if found then
        repeated := false;
        return;
    end if;
    -- Another append stored it between the look and the lock: the number, which nobody has seen, goes back.
    update head h set position = h.position - 1 where h.partition = to_partition;
    select e.position into at_position from event e
        where e.partition = to_partition and e.stream = to_stream and e.event_id = new_id;
end
$$;
