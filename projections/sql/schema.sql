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
create index if not exists stream_wrong_mode on {schema}.stream (coalesce(latest_at, '-infinity'), stream)
    where kind = 'wrong-mode';
create index if not exists stream_status on {schema}.stream (status, stream) where status in ('waiting', 'unrouted', 'stopped');

-- One row per license and target: what is desired, what is applied, and the dead letter if the target refused.
-- `withheld` says why the license is not to be made at this target, and is empty where it is.
create table if not exists {schema}.license (
    partition smallint not null,
    id        text not null,
    stream    text not null,
    target    text not null,
    due       boolean not null,
    enabled   boolean not null,
    withheld  text not null,
    key       text,
    desired   json not null,
    applied   json,
    refusal   json,
    primary key (partition, id, target)
);
create index if not exists license_stream on {schema}.license (partition, stream);
create index if not exists license_key on {schema}.license (key) where key is not null;
create index if not exists license_id on {schema}.license (id, target);
create index if not exists license_refused on {schema}.license (id, target) where refusal is not null;

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
create index if not exists link_identifier on {schema}.link (substring(from_stream from '^[^/]*/[^/]*/(.*)$'));

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

-- Work for the fetcher: what a stream's fold lacks and the provider's API could say. `why` and `essential` are the
-- runner's, the rest is the fetcher's once the row is there. `again` marks what was answered in vain and a person wants
-- asked once more.
create table if not exists {schema}.want (
    partition    smallint not null,
    stream       text not null,
    about        text not null,
    source       text not null,
    why          text not null,
    essential    boolean not null,
    since        timestamptz not null default now(),
    next_at      timestamptz not null,
    attempts     integer not null default 0,
    unfound      integer not null default 0, -- how often the API said that there is no such thing
    unauthorized boolean not null default false, -- the last time, for the sake of the API key
    again        boolean not null default false,
    error        text,
    owner        text,
    leased_until timestamptz,
    primary key (partition, stream, about)
) with (fillfactor = 70);
create index if not exists want_next on {schema}.want (next_at);

-- What is still to be asked: money that a link leads on from has found whose it is, and lacks nothing any more.
create or replace view {schema}.open_want as
select want.*, stream.status, stream.position
  from {schema}.want as want
  join {schema}.stream as stream on stream.partition = want.partition and stream.stream = want.stream
 where not (stream.status = 'unrouted' and exists (select from {schema}.link as link
                                                    where link.partition = want.partition
                                                      and link.from_stream = want.stream));

-- When the clock alone will change something in a stream: the event to be appended then.
create table if not exists {schema}.timer (
    partition smallint not null,
    stream    text not null,
    event_id  text not null,
    at        timestamptz not null,
    type      text not null,
    body      bytea not null,
    rung      boolean not null default false, -- appended, and to be folded
    primary key (partition, stream, event_id)
);
create index if not exists timer_at on {schema}.timer (at) where not rung;

-- How many calls an account still bears, of a target or a provider's API; shared by every process, whatever the
-- projection version.
create table if not exists call_budget (
    partition   smallint not null,
    account     text not null,
    tokens      double precision not null,
    refilled_at timestamptz not null,
    primary key (partition, account)
);
