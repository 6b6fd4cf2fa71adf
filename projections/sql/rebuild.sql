-- Statements of a rebuild. {schema} is the new version's, {other} that of the version which is read meanwhile.

-- name: unbuilt
-- The partitions that nothing was loaded into yet.
select partition from {schema}.lease where partition between 0 and 255 and position = 0 order by partition

-- name: take_partition
-- The checkpoint commits with what is loaded, so a partition is loaded whole or not at all, and once.
update {schema}.lease set position = %(upto)s where partition = %(partition)s and position = 0

-- name: settle_unheard
-- Of links from streams that have no events there is nothing to relay. Before there are indexes to be kept.
update {schema}.link as link set due = false
 where link.partition between 0 and 255 and link.due
   and not exists (select from {schema}.stream as stream
                    where stream.partition = link.partition and stream.stream = link.from_stream)

-- name: key_links
-- The one key that is made when all is loaded, since links come in no order of it. May be repeated.
do $$
begin
    if not exists (select from pg_constraint where conrelid = '{schema}.link'::regclass and contype = 'p') then
        alter table {schema}.link add primary key (partition, from_stream, to_stream);
    end if;
end
$$

-- name: due_links_of_partition
select from_stream, to_stream from {schema}.link where partition = %(partition)s and due

-- name: settle_links
-- Of links whose events have all been copied there is nothing to relay.
update {schema}.link as link set due = false, relayed = copied.position
  from unnest(%(from_streams)s::text[], %(to_streams)s::text[], %(positions)s::bigint[])
       as copied (from_stream, to_stream, position)
 where link.partition = %(partition)s and link.from_stream = copied.from_stream and link.to_stream = copied.to_stream

-- name: positions_of_both
select old.partition, old.position, new.position from {other}.lease as old
  join {schema}.lease as new on new.partition = old.partition
 where old.partition between 0 and 255

-- name: timers_due_alone
-- Timers that are due by the new version, and are none by the old one.
select timer.stream, timer.event_id, timer.at, timer.type, timer.body, stream.position, now()
  from {schema}.timer as timer
  join {schema}.stream as stream on stream.partition = timer.partition and stream.stream = timer.stream
 where timer.partition between 0 and 255 and timer.at <= now()
   and not exists (select from {other}.timer as known
                    where known.partition = timer.partition and known.stream = timer.stream
                      and known.event_id = timer.event_id)
 order by timer.stream, timer.at, timer.event_id

-- name: changed_licenses
select coalesce(new.stream, old.stream) as stream, coalesce(new.id, old.id) as id,
       coalesce(new.target, old.target) as target,
       to_json(old) as before, to_json(new) as after
  from (select stream, id, target, due, enabled, withheld, key, desired, applied, refusal from {other}.license
         where partition = any(%(partitions)s)) as old
  full join (select stream, id, target, due, enabled, withheld, key, desired, applied, refusal from {schema}.license
              where partition = any(%(partitions)s)) as new
    on old.id = new.id and old.target = new.target
 where (old.stream, old.due, old.enabled, old.withheld, old.key, old.desired::text, old.applied::text,
        old.refusal::text)
       is distinct from
       (new.stream, new.due, new.enabled, new.withheld, new.key, new.desired::text, new.applied::text,
        new.refusal::text)
 order by 1, 2, 3

-- name: changed_streams
select coalesce(new.stream, old.stream) as stream, to_json(old) as before, to_json(new) as after
  from (select stream, status, state, problem, warnings, customer, email, events, anomalies, first_at, latest_at
          from {other}.stream where partition = any(%(partitions)s)) as old
  full join (select stream, status, state, problem, warnings, customer, email, events, anomalies, first_at, latest_at
               from {schema}.stream where partition = any(%(partitions)s)) as new
    on old.stream = new.stream
 where (old.stream, old.status, old.state, old.problem, old.warnings::text, old.customer, old.email, old.events,
        old.anomalies, old.first_at, old.latest_at)
       is distinct from
       (new.stream, new.status, new.state, new.problem, new.warnings::text, new.customer, new.email, new.events,
        new.anomalies, new.first_at, new.latest_at)
 order by 1

-- name: count_derived
select (select count(*) from {schema}.stream where partition = any(%(partitions)s)),
       (select count(*) from {schema}.license where partition = any(%(partitions)s))

-- name: count_new_work
-- Of each target: subscriptions that are to be pushed by the new version, and are not by the old one.
select new.target, count(*) from {schema}.push as new
  left join {other}.push as old
    on old.partition = new.partition and old.stream = new.stream and old.target = new.target
 where new.partition between 0 and 255 and new.due and not coalesce(old.due, false)
 group by new.target order by new.target

-- name: count_new_links
select count(*) from {schema}.link as new
 where new.partition between 0 and 255 and new.due
   and not exists (select from {other}.link as old
                    where old.partition = new.partition and old.from_stream = new.from_stream
                      and old.to_stream = new.to_stream)

-- name: lock_work
-- What is claimed is claimed, and no more is until the switch is over.
lock table {other}.push, {other}.want in share row exclusive mode

-- name: carry_pushes
-- What stands in no event: whose call is under way, what is in doubt, which receipts are to be folded first, and the
-- backoff of the same work. Nothing is believed for longer than it can be meant.
update {schema}.push as new
   set owner = old.owner, doubt = old.doubt,
       leased_until = case when old.leased_until > now() then least(old.leased_until, now() + interval '1 hour') end,
       waits_for = greatest(new.waits_for, least(old.waits_for, head.position)),
       attempts = case when new.digest = old.digest then old.attempts else 0 end,
       error = case when new.digest = old.digest then old.error end,
       next_at = case when new.digest = old.digest then least(old.next_at, now() + interval '1 hour') else now() end
  from {other}.push as old
  join unnest(%(partitions)s::smallint[], %(heads)s::bigint[]) as head (partition, position)
    on head.partition = old.partition
 where new.partition between 0 and 255
   and new.partition = old.partition and new.stream = old.stream and new.target = old.target

-- name: carry_doubts
-- The same of what is no work any more.
insert into {schema}.push (partition, stream, target, due, digest, folded, waits_for, owner, leased_until, doubt)
select old.partition, old.stream, old.target, false, '', stream.position, least(old.waits_for, head.position), old.owner,
       case when old.leased_until > now() then least(old.leased_until, now() + interval '1 hour') end, old.doubt
  from {other}.push as old
  join {schema}.stream as stream on stream.partition = old.partition and stream.stream = old.stream
  join unnest(%(partitions)s::smallint[], %(heads)s::bigint[]) as head (partition, position)
    on head.partition = old.partition
 where old.partition between 0 and 255 and (old.doubt <> '{{}}' or old.leased_until > now())
on conflict do nothing

-- name: carry_wants
-- What was asked and answered so far, and who asks at the moment.
update {schema}.want as new
   set since = least(old.since, new.since), next_at = least(old.next_at, now() + interval '1 day'),
       attempts = old.attempts, unfound = old.unfound, unauthorized = old.unauthorized, again = old.again,
       error = old.error, owner = old.owner,
       leased_until = case when old.leased_until > now() then least(old.leased_until, now() + interval '1 hour') end
  from {other}.want as old
 where new.partition between 0 and 255
   and new.partition = old.partition and new.stream = old.stream and new.about = old.about

-- name: carry_asked_again
-- What a person wants asked once more follows from no event.
insert into {schema}.want (partition, stream, about, source, why, essential, since, next_at, attempts, unfound,
                           unauthorized, again, error, owner, leased_until)
select old.partition, old.stream, old.about, old.source, old.why, old.essential, old.since, old.next_at, old.attempts,
       old.unfound, old.unauthorized, old.again, old.error, old.owner, old.leased_until
  from {other}.want as old
  join {schema}.stream as stream on stream.partition = old.partition and stream.stream = old.stream
 where old.partition between 0 and 255 and old.again
on conflict do nothing

-- name: end_pushes
-- Whoever works by the old version makes no call any more: what it holds stands in the new one now.
update {other}.push set owner = null, leased_until = null
 where partition between 0 and 255 and owner is not null

-- name: end_wants
update {other}.want set owner = null, leased_until = null
 where partition between 0 and 255 and owner is not null

-- name: free_partitions
-- Whoever projects need not wait for the lease of the rebuild to expire.
update {schema}.lease set owner = null, expires_at = null where partition between 0 and 255 and owner is not null

-- name: forget_owners
delete from {schema}.owner
