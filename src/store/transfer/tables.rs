//! The tables of a transfer: the SQL that reads, writes and removes their rows.

/// A table whose rows have an id.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Selects the ids and the values to compare, without a condition.
    pub(super) read: &'static str,
    /// The expression of the id.
    pub(super) id: &'static str,
    /// Inserts rows, or replaces them if they exist.
    pub(super) write: &'static str,
    pub(super) remove: &'static str,
    /// Whether rows of another table refer to rows of this one, which are removed last for this
    /// reason.
    pub(super) is_referred_to: bool,
}

impl Table {
    /// Returns the statement that reads the rows after the id `$1` and up to the id `$2`.
    pub(super) fn read_range(&self) -> String {
        let Self { read, id, .. } = self;
        format!("{read} WHERE {id} > $1 AND ($2 IS NULL OR {id} <= $2)")
    }

    /// Returns the statement that reads the rows with the ids `$1`.
    pub(super) fn read_ids(&self) -> String {
        let Self { read, id, .. } = self;
        format!("{read} WHERE {id} = ANY($1)")
    }
}

pub(super) const ACCOUNTS: Table = Table {
    name: "accounts",
    read: "SELECT id, record AS compared FROM {schema}.accounts",
    id: "id",
    write: "INSERT INTO {schema}.accounts (id, tenant, created_at, version, search, record)
        SELECT id, tenant, created_at, version, search, record
        FROM jsonb_to_recordset($1) AS n (id text, tenant text, created_at bigint, version bigint,
            search text, record jsonb)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, search = excluded.search,
            record = excluded.record",
    remove: "DELETE FROM {schema}.accounts WHERE id = ANY($1)",
    is_referred_to: true,
};

pub(super) const USERS: Table = Table {
    name: "users",
    read: "SELECT id, record AS compared FROM {schema}.users",
    id: "id",
    write: "INSERT INTO {schema}.users (tenant, owner, version, search, record)
        SELECT tenant, owner, version, search, record
        FROM jsonb_to_recordset($1) AS n (tenant text, owner text, version bigint, search text,
            record jsonb)
        ON CONFLICT (tenant, owner) DO UPDATE SET version = excluded.version,
            search = excluded.search, record = excluded.record",
    remove: "DELETE FROM {schema}.users WHERE id = ANY($1)",
    is_referred_to: false,
};

pub(super) const POLICIES: Table = Table {
    name: "policies",
    read: "SELECT tenant AS id, record AS compared FROM {schema}.policies",
    id: "tenant",
    write: "INSERT INTO {schema}.policies (tenant, version, record)
        SELECT tenant, version, record
        FROM jsonb_to_recordset($1) AS n (tenant text, version bigint, record jsonb)
        ON CONFLICT (tenant) DO UPDATE SET version = excluded.version, record = excluded.record",
    remove: "DELETE FROM {schema}.policies WHERE tenant = ANY($1)",
    is_referred_to: false,
};

pub(super) const KEYS: Table = Table {
    name: "keys",
    read: "SELECT k.id, jsonb_build_array(k.record, u.record) AS compared
        FROM {schema}.keys AS k JOIN {schema}.usage AS u ON u.key = k.id",
    id: "k.id",
    write: "WITH n AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset($1) AS n (id text, tenant text,
                shard smallint, owner text, account text, name text, created_at bigint, updated_at bigint, not_before bigint,
                expires_at bigint, disabled boolean, revoked boolean, version bigint, search text,
                record jsonb, last_used_at bigint, usage jsonb)
        ), keys AS (
            INSERT INTO {schema}.keys (id, tenant, shard, owner, account, name, created_at, updated_at,
                not_before, expires_at, disabled, revoked, version, search, record)
            SELECT id, tenant, shard, owner, account, name, created_at, updated_at,
                not_before, expires_at, disabled, revoked, version, search, record FROM n
            ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, account = excluded.account,
                name = excluded.name, updated_at = excluded.updated_at,
                disabled = excluded.disabled, revoked = excluded.revoked,
                version = excluded.version, search = excluded.search, record = excluded.record
        )
        INSERT INTO {schema}.usage (key, tenant, last_used_at, record)
        SELECT id, tenant, last_used_at, usage FROM n
        ON CONFLICT (key) DO UPDATE SET last_used_at = excluded.last_used_at, record = excluded.record",
    remove: "WITH usage AS (DELETE FROM {schema}.usage WHERE key = ANY($1))
        DELETE FROM {schema}.keys WHERE id = ANY($1)",
    is_referred_to: false,
};

pub(super) const DELETED: Table = Table {
    name: "deleted ids",
    read: "SELECT id, jsonb_build_array(tenant, event) AS compared FROM {schema}.deleted",
    id: "id",
    write: "INSERT INTO {schema}.deleted (id, tenant, shard, event)
        SELECT id, tenant, shard, event
        FROM jsonb_to_recordset($1) AS n (id text, tenant text, shard smallint, event bigint)
        ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, shard = excluded.shard,
            event = excluded.event",
    remove: "DELETE FROM {schema}.deleted WHERE id = ANY($1)",
    is_referred_to: false,
};

pub(super) const WRITERS: Table = Table {
    name: "writers of usage",
    read: "SELECT encode(writer, 'hex') AS id,
            jsonb_build_object('sequence', sequence, 'fingerprint', encode(fingerprint, 'hex')) AS compared
        FROM {schema}.writers",
    id: "encode(writer, 'hex')",
    write: "INSERT INTO {schema}.writers (writer, sequence, fingerprint, at)
        SELECT decode(writer, 'hex'), sequence, decode(fingerprint, 'hex'), now()
        FROM jsonb_to_recordset($1) AS n (writer text, sequence bigint, fingerprint text)
        ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence,
            fingerprint = excluded.fingerprint",
    remove: "DELETE FROM {schema}.writers WHERE encode(writer, 'hex') = ANY($1)",
    is_referred_to: false,
};

pub(super) const TENANTS: Table = Table {
    name: "numbers of events",
    read: "SELECT tenant AS id, to_jsonb(last_event) AS compared FROM {schema}.tenants",
    id: "tenant",
    write: "INSERT INTO {schema}.tenants (tenant, last_event)
        SELECT tenant, last_event FROM jsonb_to_recordset($1) AS n (tenant text, last_event bigint)
        ON CONFLICT (tenant) DO UPDATE SET last_event = excluded.last_event",
    remove: "DELETE FROM {schema}.tenants WHERE tenant = ANY($1)",
    is_referred_to: false,
};
