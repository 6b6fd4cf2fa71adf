-- Statements of everybody who calls an account from outside. They concern no projection version.

-- name: take_tokens
-- One token bucket per account, refilled by the database's clock; the answer is how long the last of them is to be
-- waited for, 0 when taken. A clock
-- that is set back refills nothing and owes nothing; nobody waits longer than an hour. Callers queue for the row, so a
-- flush to disk for each would set their pace; a token that a crash of the server gives back harms nobody.
insert into call_budget as budget (partition, account, tokens, refilled_at)
select %(partition)s, %(account)s, %(burst)s - %(count)s, clock_timestamp()
 where set_config('synchronous_commit', 'off', true) = 'off'
on conflict (partition, account) do update
   set tokens = greatest(-3600 * %(per_second)s, least(%(burst)s, budget.tokens
                      + greatest(0, extract(epoch from clock_timestamp() - budget.refilled_at)) * %(per_second)s)) - %(count)s,
       refilled_at = clock_timestamp()
returning greatest(0, -tokens / %(per_second)s)::double precision

-- name: return_tokens
update call_budget set tokens = tokens + %(count)s where partition = %(partition)s and account = %(account)s

-- name: hold_tokens
-- The account asked for a pause: nobody gets a token before it is over.
update call_budget set tokens = least(tokens, -%(seconds)s::double precision * %(per_second)s)
 where partition = %(partition)s and account = %(account)s
