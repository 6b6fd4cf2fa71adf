-- Statements of the pusher. {schema} is the projection version's.
--
-- Those with synchronous_commit off are not waited for on their way to the disk. A crash of the server may undo them:
-- then a claim is free again, or stays taken until its lease ends, and what was in doubt is looked at once more. Only
-- what is in doubt (renew_push) has to be there before the call is made.

-- name: claim_pushes
-- Takes work whose receipts have been folded, that is not backing off, and that nobody holds; none of a version that is
-- not read any more, or not yet.
with work as (
    select partition, stream, target from {schema}.push
     where partition between 0 and 255 and (due or doubt <> '{{}}') and folded >= waits_for and next_at <= now()
       and (leased_until is null or leased_until <= now()) and target = any(%(targets)s)
       and exists (select from projection_version where version = {version} and is_read)
     order by next_at
     limit %(limit)s
       for update skip locked
)
update {schema}.push as push set owner = %(owner)s, leased_until = now() + %(ttl)s
  from work
 where push.partition = work.partition and push.stream = work.stream and push.target = work.target
   and set_config('synchronous_commit', 'off', true) = 'off'
returning push.partition, push.stream, push.target, push.attempts, push.folded, push.doubt

-- name: load_derived
-- As the runner left each, all of one moment: the fold, whether there is work at the target by now, and what is desired.
select asked.partition, asked.stream, asked.target, asked.owner, stream.status, stream.fold, push.due,
       array(select desired::text from {schema}.license
              where partition = asked.partition and stream = asked.stream and target = asked.target and withheld = ''
              order by id)
  from unnest(%(partition)s::smallint[], %(stream)s::text[], %(target)s::text[], %(owner)s::text[])
       as asked (partition, stream, target, owner)
  join {schema}.stream as stream on stream.partition = asked.partition and stream.stream = asked.stream
  join {schema}.push as push on push.partition = asked.partition and push.stream = asked.stream
                            and push.target = asked.target

-- name: renew_push
-- What the next call is about is in doubt until its receipt is recorded. None is made by what another version says.
update {schema}.push set leased_until = now() + %(ttl)s, doubt = %(doubt)s
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and leased_until > now() and exists (select from projection_version where version = {version} and is_read)

-- name: renew_push_together
-- The same of several, `doubt` as JSON; those that somebody else has locked are left to be waited for one by one, for who
-- holds locks and waits for another may wait for ever.
with mine as (
    select held.partition, held.stream, held.target, asked.owner, asked.ttl,
           array(select jsonb_array_elements_text(asked.doubt::jsonb)) as doubt
      from unnest(%(partition)s::smallint[], %(stream)s::text[], %(target)s::text[], %(owner)s::text[],
                  %(ttl)s::interval[], %(doubt)s::text[]) as asked (partition, stream, target, owner, ttl, doubt)
     cross join lateral (
        select partition, stream, target from {schema}.push as push
         where push.partition = asked.partition and push.stream = asked.stream and push.target = asked.target
           and push.owner = asked.owner and push.leased_until > now()
           for no key update skip locked) as held
)
update {schema}.push as push set leased_until = now() + mine.ttl, doubt = mine.doubt
  from mine
 where push.partition = mine.partition and push.stream = mine.stream and push.target = mine.target
   and exists (select from projection_version where version = {version} and is_read)
returning push.partition, push.stream, push.target, push.owner

-- name: finish_push
-- Not to be claimed again before its receipts are folded.
update {schema}.push
   set owner = null, leased_until = null, attempts = 0, error = null, doubt = '{{}}', next_at = now() + %(pause)s,
       waits_for = greatest(waits_for, %(waits_for)s)
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: finish_push_together
-- The same of several, as with renew_push_together.
with mine as (
    select held.partition, held.stream, held.target, asked.owner, asked.pause, asked.waits_for
      from unnest(%(partition)s::smallint[], %(stream)s::text[], %(target)s::text[], %(owner)s::text[],
                  %(pause)s::interval[], %(waits_for)s::bigint[])
           as asked (partition, stream, target, owner, pause, waits_for)
     cross join lateral (
        select partition, stream, target from {schema}.push as push
         where push.partition = asked.partition and push.stream = asked.stream and push.target = asked.target
           and push.owner = asked.owner
           for no key update skip locked) as held
)
update {schema}.push as push
   set owner = null, leased_until = null, attempts = 0, error = null, doubt = '{{}}', next_at = now() + mine.pause,
       waits_for = greatest(push.waits_for, mine.waits_for)
  from mine
 where push.partition = mine.partition and push.stream = mine.stream and push.target = mine.target
   and set_config('synchronous_commit', 'off', true) = 'off'
returning push.partition, push.stream, push.target, mine.owner

-- name: release_push
-- Untried: what it is about has to be folded first.
update {schema}.push set owner = null, leased_until = null, next_at = now() + %(pause)s
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: release_push_together
-- The same of several, as with renew_push_together.
with mine as (
    select held.partition, held.stream, held.target, asked.owner, asked.pause
      from unnest(%(partition)s::smallint[], %(stream)s::text[], %(target)s::text[], %(owner)s::text[],
                  %(pause)s::interval[]) as asked (partition, stream, target, owner, pause)
     cross join lateral (
        select partition, stream, target from {schema}.push as push
         where push.partition = asked.partition and push.stream = asked.stream and push.target = asked.target
           and push.owner = asked.owner
           for no key update skip locked) as held
)
update {schema}.push as push set owner = null, leased_until = null, next_at = now() + mine.pause
  from mine
 where push.partition = mine.partition and push.stream = mine.stream and push.target = mine.target
   and set_config('synchronous_commit', 'off', true) = 'off'
returning push.partition, push.stream, push.target, mine.owner

-- name: postpone_push
update {schema}.push
   set owner = null, leased_until = null, attempts = attempts + 1, error = %(error)s,
       next_at = now() + %(delay)s, doubt = %(doubt)s, waits_for = greatest(waits_for, %(waits_for)s)
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: pace_push
-- Not its turn yet, which is no failure. Its receipts, if it has any by now, are folded first.
update {schema}.push
   set owner = null, leased_until = null, next_at = now() + %(pause)s, doubt = %(doubt)s,
       waits_for = greatest(waits_for, %(waits_for)s)
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'
