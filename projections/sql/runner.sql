-- Statements of the runner. {schema} is the projection version's.

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

-- name: move_checkpoint
-- Compare-and-set: no row means that another process owns the partition now.
update {schema}.lease set position = %(after)s
 where partition = %(partition)s and owner = %(owner)s and position = %(before)s

-- name: load_folds
select stream, code, fold from {schema}.stream where partition = %(partition)s and stream = any(%(streams)s)

-- name: save_stream
insert into {schema}.stream (partition, stream, source, kind, identifier, status, state, problem, warnings, customer,
                             email, events, anomalies, first_at, latest_at, position, code, fold)
values (%(partition)s, %(stream)s, %(source)s, %(kind)s, %(identifier)s, %(status)s, %(state)s, %(problem)s,
        %(warnings)s, %(customer)s, %(email)s, %(events)s, %(anomalies)s, %(first_at)s, %(latest_at)s, %(position)s,
        %(code)s, %(fold)s)
on conflict (partition, stream) do update
   set status = excluded.status, state = excluded.state, problem = excluded.problem, warnings = excluded.warnings,
       customer = excluded.customer, email = excluded.email, events = excluded.events,
       anomalies = excluded.anomalies, first_at = excluded.first_at, latest_at = excluded.latest_at,
       position = excluded.position, code = excluded.code, fold = excluded.fold

-- name: clear_licenses
delete from {schema}.license where partition = %(partition)s and stream = any(%(streams)s)

-- name: save_license
insert into {schema}.license (partition, id, stream, target, due, enabled, withheld, key, desired, applied, refusal)
values (%(partition)s, %(id)s, %(stream)s, %(target)s, %(due)s, %(enabled)s, %(withheld)s, %(key)s, %(desired)s,
        %(applied)s, %(refusal)s)

-- name: save_push
-- What is desired anew need not wait for the backoff of what was desired before.
insert into {schema}.push as push (partition, stream, target, due, digest, folded)
values (%(partition)s, %(stream)s, %(target)s, %(due)s, %(digest)s, %(folded)s)
on conflict (partition, stream, target) do update
   set due = excluded.due, folded = excluded.folded, digest = excluded.digest,
       next_at = case when push.due and push.digest = excluded.digest then push.next_at else now() end,
       attempts = case when push.due and push.digest = excluded.digest then push.attempts else 0 end

-- name: retire_pushes
-- Work at targets that are no longer the stream's.
update {schema}.push as push set due = false
 where partition = %(partition)s and stream = any(%(streams)s) and due
   and not exists (select from unnest(%(kept_of)s::text[], %(kept)s::text[]) as kept (stream, target)
                    where kept.stream = push.stream and kept.target = push.target)

-- name: clear_wants
-- What is no longer wanted; what still is keeps what the fetcher wrote to it. What was answered in vain stays while a
-- person wants it asked again.
delete from {schema}.want as want
 where partition = %(partition)s and stream = any(%(streams)s)
   and not exists (select from unnest(%(kept_of)s::text[], %(kept)s::text[]) as kept (stream, about)
                    where kept.stream = want.stream and kept.about = want.about)
   and not (again and exists (select from unnest(%(vain_of)s::text[], %(vain)s::text[]) as vain (stream, about)
                               where vain.stream = want.stream and vain.about = want.about))

-- name: save_want
insert into {schema}.want as want (partition, stream, about, source, why, essential, next_at)
values (%(partition)s, %(stream)s, %(about)s, %(source)s, %(why)s, %(essential)s, now() + %(delay)s)
on conflict (partition, stream, about) do update
   set why = excluded.why, essential = excluded.essential,
       next_at = case when want.attempts = 0 then least(want.next_at, excluded.next_at) else want.next_at end

-- name: clear_timers
-- Those that are not to ring any more.
delete from {schema}.timer as timer
 where partition = %(partition)s and stream = any(%(streams)s)
   and not exists (select from unnest(%(kept_of)s::text[], %(kept)s::text[]) as kept (stream, event_id)
                    where kept.stream = timer.stream and kept.event_id = timer.event_id)

-- name: save_timer
insert into {schema}.timer (partition, stream, event_id, at, type, body)
values (%(partition)s, %(stream)s, %(event_id)s, %(at)s, %(type)s, %(body)s)
on conflict (partition, stream, event_id) do update
   set at = excluded.at, type = excluded.type, body = excluded.body

-- name: due_timers
-- By the database's clock, which is the same for all processes.
select timer.partition, timer.stream, timer.event_id, timer.at, timer.type, timer.body, stream.position,
       now()
  from {schema}.timer as timer
  join {schema}.stream as stream on stream.partition = timer.partition and stream.stream = timer.stream
 where timer.partition = any(%(partitions)s) and timer.at <= now() and not timer.rung
 order by timer.at limit %(limit)s

-- name: mark_rung
update {schema}.timer set rung = true
 where partition = %(partition)s and stream = %(stream)s and event_id = %(event_id)s

-- name: save_link
insert into {schema}.link (partition, from_stream, to_stream) values (%(partition)s, %(from_stream)s, %(to_stream)s)
on conflict do nothing

-- name: mark_links
-- New events in a stream that others are linked from are to be relayed.
update {schema}.link set due = true, grown = grown + 1
 where partition = %(partition)s and from_stream = any(%(streams)s)

-- name: due_links
select partition, from_stream, to_stream, relayed, grown from {schema}.link
 where partition = any(%(partitions)s) and due limit %(limit)s

-- name: settle_link
-- Compare-and-set: where the stream has grown since it was read, or another process was quicker, the link stays due.
update {schema}.link set due = %(more)s, relayed = %(after)s
 where partition = %(partition)s and from_stream = %(from_stream)s and to_stream = %(to_stream)s
   and relayed = %(before)s and grown = %(grown)s

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
