-- Format 1. Times are microseconds since 1970-01-01 UTC; "never" is the largest or the smallest
-- number, so that it sorts where it belongs. What is in `record` is the record; the columns beside
-- it are copies to search and order by.

CREATE TABLE {schema}.state (
    is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    -- The last commit. Whoever commits holds this row.
    epoch bigint NOT NULL,
    -- Whether another store is being moved here: until that has ended, nobody reads or writes.
    is_moving boolean NOT NULL DEFAULT false
);
INSERT INTO {schema}.state (epoch) VALUES (0);

CREATE TABLE {schema}.accounts (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    search text NOT NULL,
    record jsonb NOT NULL
);
CREATE INDEX accounts_created ON {schema}.accounts (tenant, created_at, id);

CREATE TABLE {schema}.policies (
    tenant text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    record jsonb NOT NULL
);

CREATE TABLE {schema}.keys (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
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
CREATE INDEX keys_owner ON {schema}.keys (tenant, owner, created_at, id);
-- The live keys of an owner are those that expire later: the limit counts no dead ones.
CREATE INDEX keys_live ON {schema}.keys (tenant, owner, expires_at) WHERE NOT revoked;
CREATE INDEX keys_account ON {schema}.keys (account) WHERE account IS NOT NULL;

-- Apart from the record: counting never touches it.
CREATE TABLE {schema}.usage (
    key text COLLATE "C" PRIMARY KEY REFERENCES {schema}.keys (id) ON DELETE CASCADE,
    tenant text COLLATE "C" NOT NULL,
    last_used_at bigint NOT NULL DEFAULT -1,
    record jsonb NOT NULL
);
CREATE INDEX usage_last_used ON {schema}.usage (tenant, last_used_at, key);

-- `key:` or `account:` and an id that is not used again until the event of this number is forgotten.
CREATE TABLE {schema}.deleted (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    event bigint NOT NULL
);
CREATE INDEX deleted_event ON {schema}.deleted (tenant, event);

-- The last batch of each writer of usage.
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
    record jsonb NOT NULL,
    PRIMARY KEY (tenant, sequence)
);
CREATE INDEX events_key ON {schema}.events (tenant, key, sequence) WHERE key IS NOT NULL;
CREATE INDEX events_account ON {schema}.events (tenant, account, sequence) WHERE account IS NOT NULL;

-- What each of the last commits touched, for caches.
CREATE TABLE {schema}.changes (
    epoch bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    touched text[] NOT NULL
);

-- Searching for a part of a name needs pg_trgm to be fast, and works without it: it may be missing, or
-- where the user may not go.
DO $search$
DECLARE
    home text;
BEGIN
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    SELECT extnamespace::regnamespace::text INTO home FROM pg_extension WHERE extname = 'pg_trgm';
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX keys_search ON {schema}.keys USING gin (search %s.gin_trgm_ops)', home);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$search$;
