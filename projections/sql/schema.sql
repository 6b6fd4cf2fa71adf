-- The tables of one projection version, in a schema of their own: a rebuild makes a new schema beside this one.
-- Everything here is derived from events and may be dropped and rebuilt. {schema} is replaced before running.

create schema if not exists {schema};

-- How far each partition is projected, and by whom at the moment.
create table if not exists {schema}.lease (
    partition  smallint primary key,
    position   bigint not null default 0,
    owner      text,
    expires_at timestamptz
) with (fillfactor = 50);

insert into {schema}.lease (partition) select generate_series(0, 255) on conflict do nothing;

-- The processes that project, so that a newcomer is given its share; small, and the same for all partitions.
create table if not exists {schema}.owner (
    owner      text primary key,
    expires_at timestamptz not null
);

-- One row per stream: the stored fold and what lists and look-ups need of it.
create table if not exists {schema}.stream (
    partition  smallint not null,
    stream     text not null,
    source     text not null,
    kind       text not null,
    identifier text not null,
    status     text not null check (status in ('folded', 'waiting', 'unrouted', 'stopped', 'other')),
    state      text not null,
    problem    text not null,
    warnings   json not null,
    customer   text not null,
    email      text not null,
    events     integer not null,
    anomalies  integer not null,
    first_at   timestamptz,
    latest_at  timestamptz,
    position   bigint not null,
    code       text not null,
    fold       bytea not null,
    primary key (partition, stream)
);
create index if not exists stream_identifier on {schema}.stream (identifier);
create index if not exists stream_latest on {schema}.stream (coalesce(latest_at, '-infinity'), stream)
    where status <> 'other';
create index if not exists stream_status on {schema}.stream (status, stream) where status in ('waiting', 'unrouted', 'stopped');

-- One row per license: what is desired, what is applied, and the dead letter if the target refused.
create table if not exists {schema}.license (
    partition smallint not null,
    id        text not null,
    stream    text not null,
    target    text not null,
    due       boolean not null,
    enabled   boolean not null,
    key       text,
    desired   json not null,
    applied   json,
    refusal   json,
    primary key (partition, id)
);
create index if not exists license_stream on {schema}.license (partition, stream);
create index if not exists license_key on {schema}.license (key) where key is not null;
create index if not exists license_id on {schema}.license (id);
create index if not exists license_refused on {schema}.license (id) where refusal is not null;

-- "What stands in from_stream belongs to to_stream too"; lives in the partition of from_stream.
create table if not exists {schema}.link (
    partition   smallint not null,
    from_stream text not null,
    to_stream   text not null,
    due         boolean not null default true,
    relayed     bigint not null default 0,
    grown       bigint not null default 0, -- how often from_stream got events since it was linked
    primary key (partition, from_stream, to_stream)
);
create index if not exists link_due on {schema}.link (partition) where due;

-- Work for the pusher: one row per stream and target. `due` and `folded` are the runner's, the rest is the pusher's.
-- `doubt` names what a call was about that may have acted without a receipt: it is looked at before anything else.
create table if not exists {schema}.push (
    partition    smallint not null,
    stream       text not null,
    target       text not null,
    due          boolean not null,
    digest       text not null,
    folded       bigint not null,
    waits_for    bigint not null default 0,
    owner        text,
    leased_until timestamptz,
    attempts     integer not null default 0,
    next_at      timestamptz not null default now(),
    error        text,
    doubt        text[] not null default '{{}}',
    primary key (partition, stream, target)
) with (fillfactor = 70);
create index if not exists push_due on {schema}.push (next_at) where due or doubt <> '{{}}';

-- What an account of a target still lets us send; shared by every process, whatever the projection version.
create table if not exists target_budget (
    partition   smallint not null,
    target      text not null,
    tokens      double precision not null,
    refilled_at timestamptz not null,
    primary key (partition, target)
);
