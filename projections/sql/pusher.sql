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
-- As the runner left it, all of one moment: the fold, whether there is work at the target by now, and what is desired.
select stream.status, stream.fold, push.due,
       array(select desired::text from {schema}.license
              where partition = %(partition)s and stream = %(stream)s and target = %(target)s and withheld = ''
              order by id)
  from {schema}.stream as stream
  join {schema}.push as push on push.partition = stream.partition and push.stream = stream.stream
 where stream.partition = %(partition)s and stream.stream = %(stream)s and push.target = %(target)s

-- name: renew_push
-- What the next call is about is in doubt until its receipt is recorded. None is made by what another version says.
update {schema}.push set leased_until = now() + %(ttl)s, doubt = %(doubt)s
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and leased_until > now() and exists (select from projection_version where version = {version} and is_read)

-- name: finish_push
-- Not to be claimed again before its receipts are folded.
update {schema}.push
   set owner = null, leased_until = null, attempts = 0, error = null, doubt = '{{}}', next_at = now() + %(pause)s,
       waits_for = greatest(waits_for, %(waits_for)s)
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'

-- name: release_push
-- Untried: what it is about has to be folded first.
update {schema}.push set owner = null, leased_until = null, next_at = now() + %(pause)s
 where partition = %(partition)s and stream = %(stream)s and target = %(target)s and owner = %(owner)s
   and set_config('synchronous_commit', 'off', true) = 'off'

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
