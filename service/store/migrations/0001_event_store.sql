-- The event store: what happened (event), and how far each partition has come (head).
-- `partition` leads every key, so the same tables can be distributed by it (Citus) and co-located.

create table event (
    partition    smallint    not null,
    position     bigint      not null,
    -- Collation C: comparing bytes is fastest, and no library upgrade can change the order of a unique index.
    stream       text        collate "C" not null,
    source       text        not null generated always as (split_part(stream, '/', 1)) stored,
    event_id     text        collate "C" not null,
    item         text        not null,
    type         text        not null,
    origin       text        not null,
    cause        text        not null,
    occurred_at  timestamptz not null,
    received_at  timestamptz not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    headers      jsonb       not null,
    content_type text        not null,
    body         bytea       not null,
    digest       bytea       not null,
    primary key (partition, position),
    constraint event_once unique (partition, stream, event_id),
    constraint event_partition check (partition between 0 and 255),
    constraint event_position check (position > 0),
    constraint event_origin check
        (origin in ('webhook', 'backfill', 'readback', 'relay', 'operator', 'timer', 'receipt')),
    constraint event_digest check (octet_length(digest) = 32)
);

comment on table event is 'All that happened, append-only; position is gapless within its partition';
comment on column event.position is 'Order of commit within the partition: 1, 2, 3, ... without a gap';
comment on column event.occurred_at is 'The provider''s clock';
comment on column event.recorded_at is 'Our clock, when the row was written';
comment on column event.body is 'The exact body of the request; item says which part of it this event is';
comment on column event.digest is 'SHA-256 of the body as it was first stored, kept when a body is redacted';

-- lz4 costs a third of the default's CPU, but a server may be built without it.
do $$
begin
    alter table event alter column body set compression lz4;
exception when feature_not_supported then
    raise notice 'this server has no lz4: event.body keeps its default compression';
end
$$;

-- Nearly empty pages leave room for every new version of a row beside the old one, so updates touch no index (HOT).
create table head (
    partition smallint primary key,
    position  bigint   not null,
    constraint head_partition check (partition between 0 and 255),
    constraint head_position check (position >= 0)
) with (fillfactor = 10);

comment on table head is 'The last position of each partition; its row lock is what orders appends';

insert into head select partition, 0 from generate_series(0, 255) as partition;

-- History is enforced, not promised. One door is left for erasure: a transaction that sets tenure.erasure to 'on'
-- for itself (set local) may change body and headers, and nothing else.
create function event_refuse_update() returns trigger language plpgsql as $$
declare
    allowed event := old;
begin
    allowed.body := new.body;
    allowed.headers := new.headers;
    allowed.source := new.source; -- generated from stream, and not computed yet in a trigger
    if current_setting('tenure.erasure', true) = 'on' and new is not distinct from allowed then
        return new;
    end if;
    raise exception using
        errcode = 'restrict_violation',
        message = 'event is append-only: position ' || old.position || ' of partition ' || old.partition
            || ' was not changed',
        hint = 'Append an event that corrects it. Erasure may replace body and headers, never anything else.';
end
$$;

create function event_refuse_removal() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'restrict_violation',
        message = 'event is append-only: ' || lower(tg_op) || ' is refused',
        hint = 'A missing position would read as tampering. To forget a person, erase the body instead.';
end
$$;

create trigger event_refuse_update before update on event
    for each row execute function event_refuse_update();
create trigger event_refuse_delete before delete on event
    for each row execute function event_refuse_removal();
create trigger event_refuse_truncate before truncate on event
    for each statement execute function event_refuse_removal();
