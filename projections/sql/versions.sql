-- Which versions of the projections there are, and which of them is read. Outside of the versions' own schemas.

-- name: make_versions
-- A few rows, the same for all partitions. `rules` tells the code and the policies that all rows of a version were derived
-- by, empty where nobody knows, with a plus where others came; `owner` is who makes it at the moment.
create table if not exists projection_version (
    version    integer primary key,
    is_read    boolean not null default false,
    purpose    text not null check (purpose in ('live', 'rebuild', 'simulation')),
    rules      text not null default '',
    complete   boolean not null default false,
    owner      text,
    expires_at timestamptz,
    made_at    timestamptz not null default now(),
    read_at    timestamptz
);
create unique index if not exists projection_version_read on projection_version (is_read) where is_read;

-- name: begin_versions
-- The first version, or the one that there was before this table.
insert into projection_version (version, is_read, purpose, rules, complete, read_at)
select %(version)s, true, 'live', %(rules)s, true, now()
 where not exists (select from projection_version where is_read)
on conflict do nothing

-- name: set_rules
-- Its tables are made anew, and empty.
update projection_version set rules = %(rules)s where version = %(version)s

-- name: rules_read
select rules from projection_version where is_read

-- name: mix_rules
-- Rows by others come to it from now on; unless another process has said so already.
update projection_version set rules = %(mixed)s where is_read and rules = %(known)s

-- name: has_versions
select to_regclass('projection_version') is not null

-- name: read_version
select version from projection_version where is_read

-- name: read_again
-- Where none is read: the one that was read last.
update projection_version set is_read = true
 where not exists (select from projection_version where is_read)
   and version = (select version from projection_version
                   where purpose = 'live' order by read_at desc nulls last, version desc limit 1)
returning version

-- name: lacking
-- The tables of one schema that are not in the other, or not with all their columns.
select distinct mine.relname
  from pg_class as mine
  join pg_attribute as field on field.attrelid = mine.oid and field.attnum > 0 and not field.attisdropped
 where mine.relnamespace = to_regnamespace(%(as_in)s) and mine.relkind = 'r'
   and not exists (select from pg_class as other
                     join pg_attribute as its on its.attrelid = other.oid and not its.attisdropped
                    where other.relnamespace = to_regnamespace(%(schema)s) and other.relkind = 'r'
                      and other.relname = mine.relname
                      and its.attname = field.attname and its.atttypid = field.atttypid)
 order by 1

-- name: list_versions
select version, is_read, purpose, rules, complete, owner, made_at, read_at,
       coalesce(expires_at > now(), false) as held
  from projection_version order by version

-- name: lock_versions
-- Whoever begins, switches or drops a version does so alone.
lock table projection_version in share row exclusive mode

-- name: add_version
insert into projection_version (version, purpose, rules, owner, expires_at)
select max(version) + 1, %(purpose)s, %(rules)s, %(owner)s, now() + %(ttl)s from projection_version
returning version

-- name: take_version
update projection_version set owner = %(owner)s, expires_at = now() + %(ttl)s
 where version = %(version)s and not is_read and (owner is null or owner = %(owner)s or expires_at <= now())

-- name: hold_version
update projection_version set expires_at = now() + %(ttl)s where version = %(version)s and owner = %(owner)s

-- name: leave_version
update projection_version set owner = null, expires_at = null where version = %(version)s and owner = %(owner)s

-- name: complete_version
update projection_version set complete = true where version = %(version)s and owner = %(owner)s

-- name: forget_version
delete from projection_version where version = %(version)s and not is_read

-- name: unread_version
update projection_version set is_read = false where version = %(version)s and is_read

-- name: set_read
update projection_version
   set is_read = true, purpose = 'live', owner = null, expires_at = null, read_at = now()
 where version = %(version)s and owner = %(owner)s
