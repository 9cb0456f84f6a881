-- Format 1. Times are microseconds since 1970-01-01 UTC. "Never" is the largest number, and "not yet" is
-- -1, so that both sort correctly. The column `record` holds the record. The other columns are copies for
-- searching and ordering.

CREATE TABLE {schema}.state (
    is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    -- Whether another store is being moved here. Until the move has ended, no store uses the tables.
    is_moving boolean NOT NULL DEFAULT false
);
INSERT INTO {schema}.state DEFAULT VALUES;

-- The last commits of each shard of tenants, with the subjects that they touched. A commit inserts the
-- row after the last one of its shard, which only one commit can do. So the commits of a shard happen one
-- after another, and those of two shards do not wait for each other. Rows are never updated, except by a
-- commit that inserts its row before it reads. The oldest rows of a shard are deleted, never its last.
CREATE TABLE {schema}.changes (
    shard smallint NOT NULL,
    -- 1, 2, 3, and so on, without gaps in each shard.
    epoch bigint NOT NULL,
    -- A random number, which tells this commit from one of the same epoch on a server that has lost it.
    mark int NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    touched text[] NOT NULL,
    PRIMARY KEY (shard, epoch)
);
-- The beginning of each shard, so that each has a last row.
INSERT INTO {schema}.changes (shard, epoch, mark, touched)
SELECT shard, 0, floor(random() * 2147483647)::int, '{}' FROM generate_series(0, 63) AS s (shard);

CREATE TABLE {schema}.accounts (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    search text NOT NULL,
    record jsonb NOT NULL
);
CREATE INDEX accounts_created ON {schema}.accounts (tenant, created_at, id);

-- Only users with a display name, or who were suspended. The owner is `user:ID`, as in `keys`.
CREATE TABLE {schema}.users (
    tenant text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    search text NOT NULL,
    record jsonb NOT NULL,
    -- The order of a transfer.
    id text COLLATE "C" GENERATED ALWAYS AS (tenant || ' ' || owner) STORED UNIQUE,
    PRIMARY KEY (tenant, owner)
);

CREATE TABLE {schema}.policies (
    tenant text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    record jsonb NOT NULL
);

CREATE TABLE {schema}.keys (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    -- The shard of the tenant in `changes`.
    shard smallint NOT NULL,
    owner text COLLATE "C" NOT NULL,
    account text COLLATE "C" REFERENCES {schema}.accounts (id),
    name text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    not_before bigint NOT NULL,
    expires_at bigint NOT NULL,
    disabled boolean NOT NULL,
    revoked boolean NOT NULL,
    version bigint NOT NULL,
    search text NOT NULL,
    record jsonb NOT NULL
);
CREATE INDEX keys_created ON {schema}.keys (tenant, created_at, id);
CREATE INDEX keys_updated ON {schema}.keys (tenant, updated_at, id);
CREATE INDEX keys_name ON {schema}.keys (tenant, name, id);
CREATE INDEX keys_expires ON {schema}.keys (tenant, expires_at, id);
-- For the lists of all tenants, in the orders of creation and of expiry.
CREATE INDEX keys_all_created ON {schema}.keys (created_at, id);
CREATE INDEX keys_all_expires ON {schema}.keys (expires_at, id);
CREATE INDEX keys_owner ON {schema}.keys (tenant, owner, created_at, id);
-- For the limit of keys, which counts only keys that are neither revoked nor expired.
CREATE INDEX keys_live ON {schema}.keys (tenant, owner, expires_at) WHERE NOT revoked;
CREATE INDEX keys_contact ON {schema}.keys (tenant, (record #>> '{key,contact}'), created_at, id)
    WHERE record #>> '{key,contact}' IS NOT NULL;
CREATE INDEX keys_account ON {schema}.keys (account) WHERE account IS NOT NULL;
-- For filters that few keys match. A new key usually is in none of these indexes.
CREATE INDEX keys_revoked ON {schema}.keys (tenant) WHERE revoked;
CREATE INDEX keys_disabled ON {schema}.keys (tenant) WHERE disabled;
CREATE INDEX keys_scheduled ON {schema}.keys (tenant, not_before) WHERE not_before > 0;

-- A table of its own, so that counting a use never writes to the record of a key. Each key has a row. A
-- commit inserts and deletes both rows; a foreign key would check that again for each new key.
CREATE TABLE {schema}.usage (
    key text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    last_used_at bigint NOT NULL DEFAULT -1,
    record jsonb NOT NULL
);
CREATE INDEX usage_last_used ON {schema}.usage (tenant, last_used_at, key);

-- Deleted ids, as `key:ID` or `account:ID`. An id is not used again until the event of this number is
-- forgotten.
CREATE TABLE {schema}.deleted (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    event bigint NOT NULL
);
CREATE INDEX deleted_event ON {schema}.deleted (tenant, event);

-- Refuses ids that were deleted, and returns 1 otherwise. A statement calls it after it has inserted these
-- ids. The function has a newer snapshot than the statement, so it sees a transaction that has deleted an id
-- while the insert waited for it.
CREATE FUNCTION {schema}.check_new_ids(ids text[]) RETURNS int LANGUAGE plpgsql VOLATILE AS $check$
BEGIN
    IF EXISTS (SELECT FROM {schema}.deleted WHERE id = ANY (ids)) THEN
        RAISE unique_violation USING MESSAGE = 'a new id was used and deleted';
    END IF;
    RETURN 1;
END
$check$;

-- The last usage batch of each writer.
CREATE TABLE {schema}.writers (
    writer bytea PRIMARY KEY,
    sequence bigint NOT NULL,
    fingerprint bytea NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX writers_at ON {schema}.writers (at);

-- The number of each tenant's last event.
CREATE TABLE {schema}.tenants (
    tenant text COLLATE "C" PRIMARY KEY,
    last_event bigint NOT NULL
);

CREATE TABLE {schema}.events (
    tenant text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    account text COLLATE "C",
    previous_account text COLLATE "C",
    record jsonb NOT NULL,
    PRIMARY KEY (tenant, sequence)
);
CREATE INDEX events_key ON {schema}.events (tenant, key, sequence) WHERE key IS NOT NULL;
CREATE INDEX events_account ON {schema}.events (tenant, account, sequence) WHERE account IS NOT NULL;
CREATE INDEX events_previous_account ON {schema}.events (tenant, previous_account, sequence)
    WHERE previous_account IS NOT NULL;

-- The extension pg_trgm makes a search for part of a name fast. With btree_gin, a search also reads nothing
-- of other tenants, and a filter by prefix uses the index. The search works without them too, since an extension may be missing, or in a schema
-- that the user must not access.
DO $search$
DECLARE
    home text;
    extension text;
    first_columns text := '';
BEGIN
    FOREACH extension IN ARRAY ARRAY['pg_trgm', 'btree_gin'] LOOP
        BEGIN
            EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I', extension);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    SELECT extnamespace::regnamespace::text INTO home FROM pg_extension WHERE extname = 'pg_trgm';
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gin') THEN
        first_columns := 'tenant, (record #>> ''{key,prefix}''), ';
    END IF;
    IF home IS NOT NULL THEN
        EXECUTE format(
            'CREATE INDEX keys_search ON {schema}.keys USING gin (%ssearch %s.gin_trgm_ops)',
            first_columns, home
        );
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$search$;
