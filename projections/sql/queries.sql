-- Questions people and programs ask. {schema} is the projection version's.

-- name: streams_by_identifier
-- A provider's id, a whole stream name, or a license's id or key (null: of no license); several streams may share a
-- provider's id.
select stream, status from {schema}.stream where partition between 0 and 255 and identifier = %(text)s
union
select stream, status from {schema}.stream where partition = %(partition)s and stream = %(text)s
union
select license.stream, stream.status from {schema}.license as license
  join {schema}.stream as stream on stream.partition = license.partition and stream.stream = license.stream
 where license.partition between 0 and 255 and (license.id = %(text)s or license.key = %(key)s)
order by stream limit 20

-- name: links_from_identifier
-- A stream need not have events of its own for others to know that it belongs to them.
select from_stream, to_stream from {schema}.link
 where partition between 0 and 255 and substring(from_stream from '^[^/]*/[^/]*/(.*)$') = %(text)s
union
select from_stream, to_stream from {schema}.link where partition = %(partition)s and from_stream = %(text)s
order by from_stream, to_stream limit %(limit)s

-- name: links_from
select from_stream, to_stream from {schema}.link
 where partition = any(%(partitions)s) and from_stream = any(%(streams)s)
 order by from_stream, to_stream limit %(limit)s

-- name: get_statuses
select stream, status from {schema}.stream where partition = any(%(partitions)s) and stream = any(%(streams)s)

-- name: list_streams
-- Newest first; the cursor is the last row's (latest_at, stream). A stream that stopped at once has no latest_at.
select partition, stream, source, kind, identifier, status, state, problem, warnings::text, customer, email, events,
       anomalies, first_at, latest_at, position
  from {schema}.stream as stream
 where partition between 0 and 255 and status = any(%(statuses)s)
   and (%(state)s::text is null or state = %(state)s)
   and (%(source)s::text is null or source = %(source)s)
   and (not %(problems)s or problem <> '')
   and (not %(unlinked)s or not exists (select from {schema}.link as link
                                         where link.partition = stream.partition and link.from_stream = stream.stream))
   and (%(before_stream)s::text is null or (coalesce(latest_at, '-infinity'), stream)
                                           < (coalesce(%(before_at)s::timestamptz, '-infinity'), %(before_stream)s))
 order by coalesce(latest_at, '-infinity') desc, stream desc limit %(limit)s

-- name: list_wrong_mode
-- Deliveries of the other mode than their source's; newest first, the cursor is the last row's (latest_at, stream).
select partition, stream, source, kind, identifier, status, state, problem, warnings::text, customer, email, events,
       anomalies, first_at, latest_at, position
  from {schema}.stream
 where partition between 0 and 255 and kind = 'wrong-mode'
   and (%(before_stream)s::text is null or (coalesce(latest_at, '-infinity'), stream)
                                           < (coalesce(%(before_at)s::timestamptz, '-infinity'), %(before_stream)s))
 order by coalesce(latest_at, '-infinity') desc, stream desc limit %(limit)s

-- name: get_stream
select partition, stream, source, kind, identifier, status, state, problem, warnings::text, customer, email, events,
       anomalies, first_at, latest_at, position, code, fold
  from {schema}.stream where partition = %(partition)s and stream = %(stream)s

-- name: list_licenses
-- By license and target; the cursor is the last row's (id, target).
select partition, id, stream, target, due, enabled, withheld, key, desired::text, applied::text, refusal::text
  from {schema}.license
 where partition between 0 and 255 and (id, target) > (%(after)s, %(after_target)s)
   and (%(stream)s::text is null or (partition = %(partition)s and stream = %(stream)s))
   and (%(target)s::text is null or target = %(target)s)
   and (not %(refused)s or refusal is not null)
   and (%(enabled)s::boolean is null or enabled = %(enabled)s)
   and (%(due)s::boolean is null or due = %(due)s)
 order by id, target limit %(limit)s

-- name: get_license
-- One row of each target that the license belongs to.
select partition, id, stream, target, due, enabled, withheld, key, desired::text, applied::text, refusal::text
  from {schema}.license where partition between 0 and 255 and (id = %(text)s or key = %(key)s)
 order by id, target limit %(limit)s

-- name: count_statuses
-- What a link leads on from is not unrouted any more, but one of the others.
select case when status = 'unrouted' and exists (select from {schema}.link as link
                                                  where link.partition = stream.partition
                                                    and link.from_stream = stream.stream)
            then 'other' else status end as status, state, count(*)
  from {schema}.stream as stream where partition between 0 and 255 group by 1, 2

-- name: count_outstanding
-- Of each target: streams with work, how many of them failed at least once, and refused licenses.
select target, coalesce(due, 0) as due, coalesce(failing, 0) as failing, coalesce(refused, 0) as refused
  from (select target, count(*) as due, count(*) filter (where attempts > 0) as failing
          from {schema}.push where partition between 0 and 255 and due group by target) as work
  full join (select target, count(*) as refused
          from {schema}.license where partition between 0 and 255 and refusal is not null group by target) as letters
 using (target)

-- name: list_postponed
-- Work that failed at least once and is tried again, with the last error.
select stream, target, attempts, next_at, error from {schema}.push
 where partition between 0 and 255 and due and attempts > 0 order by next_at limit %(limit)s

-- name: pushes_of_stream
select target, due, attempts, next_at, error, doubt <> '{{}}' as doubt from {schema}.push
 where partition = %(partition)s and stream = %(stream)s order by target

-- name: now
select clock_timestamp() as now

-- name: list_wants
-- What is asked and not answered, of these streams (null: of any), the longest wanted first.
select stream, source, about, why, essential, since, attempts, next_at, error
  from {schema}.open_want where partition between 0 and 255 and (%(streams)s::text[] is null
   or (partition = any(%(partitions)s) and stream = any(%(streams)s)))
 order by since, stream, about limit %(limit)s

-- name: list_waiting
-- Streams that need something first, and those that lack something which should have been there by now; not money of
-- nobody known, which has a list of its own. Newest first;
-- the cursor is the last row's (latest_at, stream).
select stream.partition, stream.stream, source, kind, identifier, status, state, problem, warnings::text, customer,
       email, events, anomalies, first_at, latest_at, position
  from {schema}.stream as stream
  join (select partition, stream from {schema}.stream where partition between 0 and 255 and status = 'waiting'
        union select partition, stream from {schema}.open_want
               where partition between 0 and 255 and status <> 'unrouted'
                 and (attempts > 0 or next_at <= now())) as waiting
    on waiting.partition = stream.partition and waiting.stream = stream.stream
 where stream.partition between 0 and 255
   and (%(before_stream)s::text is null or (coalesce(latest_at, '-infinity'), stream.stream)
                                           < (coalesce(%(before_at)s::timestamptz, '-infinity'), %(before_stream)s))
 order by coalesce(latest_at, '-infinity') desc, stream.stream desc limit %(limit)s

-- name: ask_now
-- What a stream lacks is asked at once, whatever went wrong before.
update {schema}.want set next_at = now() where partition = %(partition)s and stream = %(stream)s

-- name: ask_in_vain
-- What was answered, but not with what is missing, is asked once more.
insert into {schema}.want as want (partition, stream, about, source, why, essential, next_at, again)
values (%(partition)s, %(stream)s, %(about)s, %(source)s, %(why)s, %(essential)s, now(), true)
on conflict (partition, stream, about) do update set next_at = now(), again = true

-- name: count_wants
-- Of each source: how much is asked and not answered, how much of it was tried, and since when the oldest is wanted.
select source, count(*) as open, count(*) filter (where attempts > 0) as failing,
       greatest(0, extract(epoch from now() - min(since)))::double precision as oldest
  from {schema}.open_want where partition between 0 and 255 group by source

-- name: positions
select partition, position from {schema}.lease where partition between 0 and 255

-- name: count_open_work
-- Links to be followed; pushes due or whose receipts are not folded yet; what the APIs of these sources (null: of all)
-- are to be asked within a minute, or have answered and that is not folded yet; timers that are due.
select (select count(*) from {schema}.link where partition between 0 and 255 and due),
       (select count(*) from {schema}.push
         where partition between 0 and 255 and (due or folded < waits_for or doubt <> '{{}}')),
       (select count(*) from {schema}.open_want
         where partition between 0 and 255 and (%(asked)s::text[] is null or source = any(%(asked)s))
           and next_at <= now() + interval '1 minute'),
       (select count(*) from {schema}.timer where partition between 0 and 255 and at <= now() and not rung)
