//! Q4: commands with which a tenant admin or a developer tries to widen a limit. Each row has the code of
//! the error, a part of its message, and the field, value and bound of its JSON. No row changes anything.

use serde_json::Value;

use crate::desk::{Desk, READS, WRITES, error_of};

/// A command, and the refusal that it gets.
struct Try {
    args: Vec<String>,
    code: &'static str,
    /// A part of the message.
    said: &'static str,
    /// The field, its value and the bound, with `-` for what is absent.
    limit: &'static str,
}

/// Creates the row of a command: words, of which `|` joins two.
fn row(args: &str, code: &'static str, said: &'static str, limit: &'static str) -> Try {
    let args = args.split(' ').map(|word| word.replace('|', " ")).collect();
    Try { args, code, said, limit }
}

/// A store whose plan limits everything that a plan can limit.
struct Bounded {
    desk: Desk,
    /// An account with as many keys as the plan allows.
    full: String,
    /// A key of the account.
    following: String,
    /// A key of dana with limits that an administrator set.
    limited: String,
    /// A key of dana.
    own: String,
    /// A key of another tenant.
    foreign: String,
}

impl Bounded {
    fn open() -> Self {
        let desk = Desk::bare();
        let run = |text: &str| {
            let words: Vec<_> = text.split(' ').map(|word| word.replace('|', " ")).collect();
            desk.done(&words.iter().map(String::as_str).collect::<Vec<_>>()).trim_end().to_owned()
        };
        run("init");
        run(&format!(
            "plan set --reads {READS} --writes {WRITES} --role analyst={READS} \
             --role operator={READS}|{WRITES} --default-scopes {READS} --max-rate 100/60s \
             --max-keys-per-user 3 --max-keys-per-account 1 --max-keys-of-organization 1 \
             --require-expiry on --max-lifetime 30d --max-overlap 1d --min-alert-period 1h \
             --max-retention 10d --min-event-retention 5d --max-event-retention 20d"
        ));
        let full = run("account create nightly --role analyst");
        let key = |text: &str| crate::desk::id_of(&run(text));
        let following = key(&format!("key generate prod-a --owner account:{full}"));
        key("key generate prod-a --owner organization");
        let limited = key(&format!(
            "key generate prod-a --owner user:dana --scopes {READS} --rate 5/60s \
             --networks 203.0.113.0/24"
        ));
        let own = key("key generate prod-a --owner user:dana");
        for _ in 0..3 {
            key("key generate prod-a --owner user:bob");
        }
        run(&format!("--tenant initech init --reads {READS}"));
        let foreign = key("--tenant initech key generate prod-a");
        Self { desk, full, following, limited, own, foreign }
    }

    /// Returns the rules, accounts and keys of the tenant, and the keys of the other one.
    fn now(&self) -> [Value; 4] {
        [
            self.desk.json(&["policy", "show"]),
            self.desk.json(&["account", "list"]),
            self.desk.json(&["key", "list", "--all"]),
            self.desk.json(&["--tenant", "initech", "key", "list", "--all"]),
        ]
    }

    /// Runs each row as each actor, and asserts that nothing changes.
    #[track_caller]
    fn refuses(&self, actors: &[&str], rows: &[Try]) -> usize {
        let before = self.now();
        let mut wrong = Vec::new();
        for row in rows {
            for actor in actors {
                let args: Vec<_> = ["--as", actor].into_iter().chain(words(&row.args)).collect();
                let text = self.desk.run(&args);
                let json = self.desk.run(&[&["--output", "json"], args.as_slice()].concat());
                let (code, message) = error_of(&json);
                let exits = (text.code, json.code, text.out.as_str(), json.out.as_str());
                let readable = text.err == format!("keywright: {message}\n");
                let said = readable && message.contains(row.said);
                let limit = limit_of(&json.err);
                let exit = if row.code.ends_with("not_found") { 3 } else { 1 };
                if exits != (exit, exit, "", "") || code != row.code || !said || limit != row.limit
                {
                    wrong.push(format!("{args:?}: {code}, {message}, {limit}, {exits:?}"));
                }
            }
            assert_eq!(self.now(), before, "{:?}", row.args);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        rows.len() * actors.len()
    }
}

fn words(args: &[String]) -> impl Iterator<Item = &str> {
    args.iter().map(String::as_str)
}

/// Returns the field, value and bound of an error, as a row has them.
fn limit_of(error: &str) -> String {
    let error: Value = serde_json::from_str(error).unwrap_or_default();
    let part = |name: &str| match &error[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["field", "value", "bound"].map(part).join(" ")
}

#[test]
fn q4_no_command_sets_more_than_the_plan() {
    let store = Bounded::open();
    let rows = [
        ("require-expiry off", "equal to true", "require_expiry false true"),
        ("max-lifetime 31d", "at most 30 days", "max_lifetime 2678400 2592000"),
        ("default-lifetime 31d", "at most 30 days", "default_lifetime 2678400 2592000"),
        ("max-keys-per-user 4", "at most 3", "max_keys_per_user 4 3"),
        ("max-keys-per-user 1000", "at most 3", "max_keys_per_user 1000 3"),
        ("max-overlap 25h", "at most 1 day", "max_overlap 90000 86400"),
        ("default-rate 101/60s", "at most 100/60s", "default_rate 101/60s 100/60s"),
        ("default-rate 100/59s", "at most 100/60s", "default_rate 100/59s 100/60s"),
        ("extensive-use 1/3599s", "at least 1 hour", "extensive_use 3599 3600"),
        ("suspicious-use 1/60s", "at least 1 hour", "suspicious_use 60 3600"),
        ("retention 11d", "at most 10 days", "retention 950400 864000"),
        ("event-retention 21d", "at most 20 days", "event_retention 1814400 1728000"),
        ("event-retention 4d", "at least 5 days", "event_retention 345600 432000"),
        ("api-enabled off --max-keys-per-user 4", "at most 3", "max_keys_per_user 4 3"),
    ];
    let rows = rows.map(|(args, said, limit)| {
        row(&format!("settings set --{args}"), "beyond_plan", said, limit)
    });
    let tries = store.refuses(&["tara:tenant-admin"], &rows);
    let above_any = row(
        "settings set --max-keys-per-user 1001",
        "invalid_max_keys",
        "between 1 and 1000, got 1001",
        "max_keys_per_user 1001 1000",
    );
    let tries = tries + store.refuses(&["tara:tenant-admin"], &[above_any]);
    let plan = [
        "--api-access on",
        "--reads invoices:read|reports:read",
        "--writes invoices:write|jobs:run",
        "--default-scopes invoices:write",
        "--role analyst=invoices:write",
        "--role owner=invoices:read|invoices:write",
        "--remove-role operator",
        "--max-rate none",
        "--max-keys-per-user 1000",
        "--max-keys-per-account none",
        "--max-keys-of-organization none",
        "--require-expiry off",
        "--max-lifetime none",
        "--max-overlap 90d",
        "--min-alert-period 1m",
        "--max-retention none",
        "--min-event-retention 1d",
        "--max-event-retention none",
    ];
    let denied = "the actor has no permission for plan.set";
    let plan =
        plan.map(|args| row(&format!("plan set {args}"), "permission_denied", denied, "- - -"));
    let tries = tries + store.refuses(&["tara:tenant-admin"], &plan);
    assert!(tries >= 30, "{tries}");
}

#[test]
fn q4_no_command_makes_keys_beyond_the_plan() {
    let store = Bounded::open();
    let Bounded { full, following, limited, own, foreign, .. } = &store;
    let generated = [
        (
            "--scopes billing:admin",
            "scope_outside_ceiling",
            "billing:admin",
            "scopes billing:admin -",
        ),
        ("--rate 101/60s", "rate_above_limit", "at most 100/60s", "rate 101/60s 100/60s"),
        ("--expires-in 31d", "lifetime_too_long", "within 30 days", "expires_in 2678400 2592000"),
        ("--no-expiry", "expiry_required", "requires an expiry", "expires_at - -"),
    ];
    let denied = "the actor has no permission";
    let new = |args: &str| format!("key generate prod-b {args}");
    let rows = generated.map(|(args, code, said, limit)| row(&new(args), code, said, limit));
    let mut tries = store.refuses(&["dana:developer"], &rows);
    let others = ["user:alice", "organization", &format!("account:{full}")];
    let missing = "no key can be generated: ";
    let rows = others
        .map(|owner| row(&new(&format!("--owner {owner}")), "permission_denied", missing, "- - -"));
    tries += store.refuses(&["dana:developer", "tara:tenant-admin"], &rows);
    let full_user =
        row(&new("--rate 1/1s"), "too_many_keys", "already holds 3 live keys", "owner - 3");
    tries += store.refuses(&["bob:developer"], &[full_user]);
    let set = "an administrator limited the ";
    let by_admin = "set_by_administrator";
    let edits = [
        row(
            &format!("key edit {own} --scopes billing:admin"),
            "scope_outside_ceiling",
            "billing:admin",
            "scopes billing:admin -",
        ),
        row(
            &format!("key edit {own} --rate 101/60s"),
            "rate_above_limit",
            "at most 100/60s",
            "rate 101/60s 100/60s",
        ),
        row(
            &format!("key edit {limited} --scopes {WRITES}"),
            by_admin,
            set,
            "scopes - invoices:read",
        ),
        row(&format!("key edit {limited} --rate none"), by_admin, set, "rate - 5/60s"),
        row(&format!("key edit {limited} --rate 6/60s"), by_admin, set, "rate - 5/60s"),
        row(
            &format!("key edit {limited} --networks none"),
            by_admin,
            set,
            "networks - 203.0.113.0/24",
        ),
        row(
            &format!("key rotate {own} --overlap 25h"),
            "overlap_too_long",
            "at most 1 day",
            "overlap 90000 86400",
        ),
    ];
    tries += store.refuses(&["dana:developer"], &edits);
    let hidden = format!("key edit {following} --rate none");
    let absent = row(&hidden, "key_not_found", "does not exist", "- - -");
    tries += store.refuses(&["dana:developer"], &[absent]);
    let denied_rows = [
        format!("key edit {following} --rate none"),
        format!("key rotate {following}"),
        format!("key transfer {own} user:tara"),
        "owner transfer user:dana organization".to_owned(),
        "account create own --role operator".to_owned(),
        format!("account edit {full} --role operator"),
        format!("account edit {full} --access read-write"),
        format!("account delete {full}"),
    ];
    let rows = denied_rows.map(|args| row(&args, "permission_denied", denied, "- - -"));
    tries += store.refuses(&["tara:tenant-admin"], &rows);
    let foreign = [
        format!("key show {foreign}"),
        format!("key edit {foreign} --rate none"),
        format!("key rotate {foreign}"),
        format!("key delete {foreign}"),
        format!("key transfer {foreign} user:tara"),
    ];
    let rows = foreign.map(|args| row(&args, "key_not_found", "does not exist", "- - -"));
    tries += store.refuses(&["tara:tenant-admin", "dana:developer"], &rows);
    let all = [
        "tenant list",
        "sweep --all-tenants",
        "key list --all-tenants",
        &format!("key find {own}"),
        &format!("key revoke {own} --all-tenants"),
        "key revoke --owner user:dana --all-tenants",
    ];
    let operator = "a command for all tenants needs the role administrator";
    let rows = all.map(|args| row(args, "permission_denied", operator, "- - -"));
    tries += store.refuses(&["tara:tenant-admin"], &rows);
    assert!(tries >= 40, "{tries}");
}
