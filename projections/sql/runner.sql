-- Statements of the runner. {schema} is the projection version's.
--
-- A transaction with synchronous_commit off is not waited for on its way to the disk: what it writes follows from events
-- that are there, and who acts on it commits after it (decisions/0014-rows-need-not-be-waited-for.md).

-- name: announce_owner
insert into {schema}.owner (owner, expires_at) values (%(owner)s, now() + %(ttl)s)
on conflict (owner) do update set expires_at = excluded.expires_at

-- name: count_owners
-- How many processes share the partitions at the moment; those that are gone are forgotten on the way.
with gone as (delete from {schema}.owner where expires_at <= now())
select count(*) from {schema}.owner where expires_at > now()

-- name: withdraw_owner
delete from {schema}.owner where owner = %(owner)s

-- name: lease_partitions
-- Renews what this owner holds and takes free partitions up to a fair share.
with held as (
    update {schema}.lease set expires_at = now() + %(ttl)s
     where partition between 0 and 255 and owner = %(owner)s
    returning partition, position
), free as (
    select partition from {schema}.lease
     where partition between 0 and 255 and (owner is null or expires_at <= now()) and owner is distinct from %(owner)s
     order by partition
     limit greatest(0, %(share)s - (select count(*) from held))
       for update skip locked
), taken as (
    update {schema}.lease as lease set owner = %(owner)s, expires_at = now() + %(ttl)s
      from free where lease.partition = free.partition
    returning lease.partition, lease.position
)
select partition, position from held union all select partition, position from taken

-- name: release_partitions
-- Gives partitions back, so that another process need not wait for the lease to expire.
update {schema}.lease set owner = null, expires_at = null where partition = any(%(partitions)s) and owner = %(owner)s

-- name: move_checkpoints
-- Compare-and-set: a partition that is not moved is another process's now.
update {schema}.lease set position = move.after
  from unnest(%(partition)b::smallint[], %(before)b::bigint[], %(after)b::bigint[]) as move (partition, before, after)
 where lease.partition = move.partition and lease.position = move.before and lease.owner = %(owner)b
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: load_folds
select stream.stream, stream.code, stream.fold
  from unnest(%(partitions)b::smallint[], %(streams)b::text[]) as asked (partition, stream)
  join {schema}.stream as stream on stream.partition = asked.partition and stream.stream = asked.stream

-- What follows replaces what was derived from `streams`, each statement in one table, by the rows given in columns. A row
-- that stays the same is not written.

-- name: save_streams
insert into {schema}.stream (partition, stream, source, kind, identifier, status, state, problem, warnings, customer,
                             email, events, anomalies, first_at, latest_at, position, code, fold)
select * from unnest(%(partition)b::smallint[], %(stream)b::text[], %(source)b::text[], %(kind)b::text[],
                     %(identifier)b::text[], %(status)b::text[], %(state)b::text[], %(problem)b::text[],
                     %(warnings)b::json[], %(customer)b::text[], %(email)b::text[], %(events)b::integer[],
                     %(anomalies)b::integer[], %(first_at)b::timestamptz[], %(latest_at)b::timestamptz[],
                     %(position)b::bigint[], %(code)b::text[], %(fold)b::bytea[])
on conflict (partition, stream) do update
   set status = excluded.status, state = excluded.state, problem = excluded.problem, warnings = excluded.warnings,
       customer = excluded.customer, email = excluded.email, events = excluded.events,
       anomalies = excluded.anomalies, first_at = excluded.first_at, latest_at = excluded.latest_at,
       position = excluded.position, code = excluded.code, fold = excluded.fold

-- name: save_licenses
with given as (
    select * from unnest(%(partition)b::smallint[], %(id)b::text[], %(stream)b::text[], %(target)b::text[],
                         %(due)b::boolean[], %(enabled)b::boolean[], %(withheld)b::text[], %(key)b::text[],
                         %(desired)b::json[], %(applied)b::json[], %(refusal)b::json[])
           as given (partition, id, stream, target, due, enabled, withheld, key, desired, applied, refusal)
), gone as (
    delete from {schema}.license as license
     using unnest(%(partitions)b::smallint[], %(streams)b::text[]) as changed (partition, stream)
     where license.partition = changed.partition and license.stream = changed.stream
       and (license.id, license.target) not in (select id, target from given)
)
insert into {schema}.license as license
       (partition, id, stream, target, due, enabled, withheld, key, desired, applied, refusal)
select * from given
on conflict (partition, id, target) do update
   set due = excluded.due, enabled = excluded.enabled, withheld = excluded.withheld, key = excluded.key,
       desired = excluded.desired, applied = excluded.applied, refusal = excluded.refusal
 where (license.due, license.enabled, license.withheld, license.key, license.desired::text, license.applied::text,
        license.refusal::text)
       is distinct from (excluded.due, excluded.enabled, excluded.withheld, excluded.key, excluded.desired::text,
                         excluded.applied::text, excluded.refusal::text)

-- name: save_pushes
-- Work at targets that are no longer the stream's ends. What is desired anew need not wait for the backoff of what was
-- desired before.
with given as (
    select * from unnest(%(partition)b::smallint[], %(stream)b::text[], %(target)b::text[], %(due)b::boolean[],
                         %(digest)b::text[], %(folded)b::bigint[])
           as given (partition, stream, target, due, digest, folded)
), retired as (
    update {schema}.push as push set due = false
      from unnest(%(partitions)b::smallint[], %(streams)b::text[]) as changed (partition, stream)
     where push.partition = changed.partition and push.stream = changed.stream and push.due
       and (push.stream, push.target) not in (select stream, target from given)
)
insert into {schema}.push as push (partition, stream, target, due, digest, folded)
select * from given
on conflict (partition, stream, target) do update
   set due = excluded.due, folded = excluded.folded, digest = excluded.digest,
       next_at = case when push.due and push.digest = excluded.digest then push.next_at else now() end,
       attempts = case when push.due and push.digest = excluded.digest then push.attempts else 0 end

-- name: save_wants
-- What is still wanted keeps what the fetcher wrote to it. What was answered in vain stays while a person wants it asked
-- again.
with given as (
    select * from unnest(%(partition)b::smallint[], %(stream)b::text[], %(about)b::text[], %(source)b::text[],
                         %(why)b::text[], %(essential)b::boolean[], %(delay)b::interval[])
           as given (partition, stream, about, source, why, essential, delay)
), gone as (
    delete from {schema}.want as want
     using unnest(%(partitions)b::smallint[], %(streams)b::text[]) as changed (partition, stream)
     where want.partition = changed.partition and want.stream = changed.stream
       and (want.stream, want.about) not in (select stream, about from given)
       and not (want.again and (want.stream, want.about)
                               in (select * from unnest(%(vain_of)b::text[], %(vain)b::text[])))
)
insert into {schema}.want as want (partition, stream, about, source, why, essential, next_at)
select partition, stream, about, source, why, essential, now() + delay from given
on conflict (partition, stream, about) do update
   set why = excluded.why, essential = excluded.essential,
       next_at = case when want.attempts = 0 then least(want.next_at, excluded.next_at) else want.next_at end
 where (want.why, want.essential) is distinct from (excluded.why, excluded.essential)
    or want.attempts = 0 and want.next_at > excluded.next_at

-- name: save_timers
with given as (
    select * from unnest(%(partition)b::smallint[], %(stream)b::text[], %(event_id)b::text[], %(at)b::timestamptz[],
                         %(type)b::text[], %(body)b::bytea[])
           as given (partition, stream, event_id, at, type, body)
), gone as (
    delete from {schema}.timer as timer
     using unnest(%(partitions)b::smallint[], %(streams)b::text[]) as changed (partition, stream)
     where timer.partition = changed.partition and timer.stream = changed.stream
       and (timer.stream, timer.event_id) not in (select stream, event_id from given)
)
insert into {schema}.timer as timer (partition, stream, event_id, at, type, body)
select * from given
on conflict (partition, stream, event_id) do update
   set at = excluded.at, type = excluded.type, body = excluded.body
 where (timer.at, timer.type, timer.body) is distinct from (excluded.at, excluded.type, excluded.body)

-- name: save_links
insert into {schema}.link (partition, from_stream, to_stream)
select * from unnest(%(partition)b::smallint[], %(from_stream)b::text[], %(to_stream)b::text[])
on conflict do nothing

-- name: mark_links
-- New events in a stream that others are linked from are to be relayed.
update {schema}.link as link set due = true, grown = grown + 1
  from unnest(%(partitions)b::smallint[], %(streams)b::text[]) as changed (partition, stream)
 where link.partition = changed.partition and link.from_stream = changed.stream

-- name: due_timers
-- By the database's clock, which is the same for all processes.
select timer.partition, timer.stream, timer.event_id, timer.at, timer.type, timer.body, stream.position,
       now()
  from {schema}.timer as timer
  join {schema}.stream as stream on stream.partition = timer.partition and stream.stream = timer.stream
 where timer.partition = any(%(partitions)b::smallint[]) and timer.at <= now() and not timer.rung
 order by timer.at limit %(limit)b

-- name: mark_rung
update {schema}.timer as timer set rung = true
  from unnest(%(partition)b::smallint[], %(stream)b::text[], %(event_id)b::text[]) as rung (partition, stream, event_id)
 where timer.partition = rung.partition and timer.stream = rung.stream and timer.event_id = rung.event_id

-- name: due_links
select partition, from_stream, to_stream, relayed, grown from {schema}.link
 where partition = any(%(partitions)b::smallint[]) and due limit %(limit)b

-- name: settle_due_links
-- Compare-and-set: where the stream has grown since it was read, or another process was quicker, the link stays due.
update {schema}.link as link set due = settled.more, relayed = settled.after
  from unnest(%(partition)b::smallint[], %(from_stream)b::text[], %(to_stream)b::text[], %(before)b::bigint[],
              %(after)b::bigint[], %(grown)b::bigint[], %(more)b::boolean[])
       as settled (partition, from_stream, to_stream, before, after, grown, more)
 where link.partition = settled.partition and link.from_stream = settled.from_stream
   and link.to_stream = settled.to_stream and link.relayed = settled.before and link.grown = settled.grown
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: stopped_by_other_code
-- Streams that other code stopped at, and those with work for the pusher, who cannot read what other code left. Of
-- partitions that are fresh in these hands also what other code found nothing for: money of nobody known, and what waits.
select stream from {schema}.stream
 where partition = any(%(partitions)s) and status = 'stopped' and code <> %(code)s
union
select stream.stream from {schema}.stream as stream
 where partition = any(%(fresh)s) and status in ('unrouted', 'waiting') and code <> %(code)s
   and not exists (select from {schema}.link as link
                    where link.partition = stream.partition and link.from_stream = stream.stream)
union
select stream.stream from {schema}.push as push
  join {schema}.stream as stream on stream.partition = push.partition and stream.stream = push.stream
 where push.partition = any(%(partitions)s) and push.due and stream.code <> %(code)s
limit %(limit)s
