-- Seals: one hash chain per partition over its events (seal), and how far it has come (seal_head). A sealer works
-- behind the heads and takes none of the locks that appends take. `service/store/records.py` holds the form that is
-- chained, byte for byte.

create table seal (
    partition smallint not null,
    position  bigint   not null,
    headers   bytea    not null,
    chain     bytea    not null,
    primary key (partition, position),
    constraint seal_partition check (partition between 0 and 255),
    constraint seal_position check (position > 0),
    constraint seal_headers check (octet_length(headers) = 32),
    constraint seal_chain check (octet_length(chain) = 32)
);

comment on table seal is 'The hash chain of each partition: what was altered, removed or inserted breaks it';
comment on column seal.headers is 'SHA-256 of the event''s headers when it was sealed, kept when they are redacted';
comment on column seal.chain is 'SHA-256 over the chain before and the record of the event at this position';

-- As in head: nearly empty pages, so that updates touch no index (HOT).
create table seal_head (
    partition smallint primary key,
    position  bigint   not null,
    constraint seal_head_partition check (partition between 0 and 255),
    constraint seal_head_position check (position >= 0)
) with (fillfactor = 10);

comment on table seal_head is 'The last sealed position of each partition; its row lock keeps sealers apart';

insert into seal_head select partition, 0 from generate_series(0, 255) as partition;

create function seal_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'restrict_violation',
        message = 'seal is append-only: ' || lower(tg_op) || ' is refused',
        hint = 'A seal that does not fit its event is evidence: run `tenure verify`.';
end
$$;

create trigger seal_refuse_update before update on seal for each row execute function seal_refuse_change();
create trigger seal_refuse_delete before delete on seal for each row execute function seal_refuse_change();
create trigger seal_refuse_truncate before truncate on seal for each statement execute function seal_refuse_change();
