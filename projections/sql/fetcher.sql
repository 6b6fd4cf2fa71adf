-- Statements of the fetcher. {schema} is the projection version's.

-- name: ask_with_new_key
-- What was refused for the sake of the API key need not wait: a process that starts may have another one.
update {schema}.want set next_at = now()
 where partition between 0 and 255 and unauthorized and next_at > now() and source = any(%(sources)s)

-- name: note_unasked
-- Says of what is due why it is not asked: whoever lists it may be a process with other secrets.
update {schema}.want set error = %(reason)s
 where partition between 0 and 255 and next_at <= now() and source = %(source)s and error is distinct from %(reason)s

-- name: claim_wants
-- Takes what is to be asked now and nobody asks already, with what says how far its stream is folded.
with work as (
    select want.partition, want.stream, want.about from {schema}.want as want
     where want.partition between 0 and 255 and want.next_at <= now() and want.source = any(%(sources)s)
       and (want.leased_until is null or want.leased_until <= now())
       and exists (select from {schema}.open_want as open
                    where open.partition = want.partition and open.stream = want.stream and open.about = want.about)
     order by want.next_at
     limit %(limit)s
       for update skip locked
), claimed as (
    update {schema}.want as want set owner = %(owner)s, leased_until = now() + %(ttl)s
      from work
     where want.partition = work.partition and want.stream = work.stream and want.about = work.about
    returning want.partition, want.stream, want.about, want.source, want.attempts, want.unfound, want.again
)
select claimed.partition, claimed.stream, claimed.about, claimed.source, claimed.attempts, claimed.unfound,
       claimed.again, stream.position
  from claimed join {schema}.stream as stream
    on stream.partition = claimed.partition and stream.stream = claimed.stream

-- name: renew_want
-- Just before asking: the claim must still be ours, and what a link came for meanwhile is not asked. By the database's
-- clock, which is the same for all processes, the answer is of this moment.
update {schema}.want as want set leased_until = now() + %(ttl)s
 where partition = %(partition)s and stream = %(stream)s and about = %(about)s and owner = %(owner)s
   and leased_until > now()
   and exists (select from {schema}.open_want as open
                where open.partition = want.partition and open.stream = want.stream and open.about = want.about)
returning now()

-- name: release_want
-- Unasked: what has happened in its stream has to be folded first.
update {schema}.want set owner = null, leased_until = null, next_at = now() + %(delay)s
 where partition = %(partition)s and stream = %(stream)s and about = %(about)s and owner = %(owner)s

-- name: postpone_want
-- Asked: without an error it is gone as soon as the answer is folded, and asked again if that does not help.
update {schema}.want
   set owner = null, leased_until = null, attempts = attempts + 1, unfound = unfound + %(unfound)s,
       unauthorized = %(unauthorized)s, error = %(error)s, next_at = now() + %(delay)s
 where partition = %(partition)s and stream = %(stream)s and about = %(about)s and owner = %(owner)s

-- name: drop_want
-- Answered once more. Should the answer be another than before, it is an event and will be folded.
delete from {schema}.want
 where partition = %(partition)s and stream = %(stream)s and about = %(about)s and owner = %(owner)s
