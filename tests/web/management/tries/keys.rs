//! Keys beyond the plan, and keys, accounts and owners of others.

use keywright::{Actor, Issued, NewAccount, Owner, Policy};
use serde_json::{Value, json};

use super::{DENIED, NONE, Try, UNKNOWN, both, refused, row};
use crate::client::on_a_host;
use common::{DAY, TestResult, World, limit_everything, name, named, set_policy};

/// The ids of the records in the tries.
struct Ids {
    analyst: String,
    full: String,
    disabled: String,
    /// A key that follows the role of an account.
    following: String,
    /// A key of carol with limits that an administrator set.
    limited: String,
    /// A key of carol.
    own: String,
    /// A key of bob, who holds as many as he may.
    bobs: String,
    foreign_key: String,
    foreign_account: String,
}

impl Ids {
    /// Fills the tenant: carol and bob, an account and the organization hold as many keys as they may.
    async fn fill(world: &World, carol: &Actor) -> TestResult<Self> {
        world.set_policy(|policy| limit_everything(&mut policy.plan)).await?;
        let new = || named("prod-main-app");
        let issue = async |owner: &Owner| -> TestResult<Issued> {
            Ok(world.authority.generate(&world.admin, new().owner(owner.clone())).await?)
        };
        let analyst = world.account("nightly-report", "analyst").await?;
        let full = world.account("weekly-report", "analyst").await?;
        let disabled = world.account("old-report", "operator").await?;
        for owner in [Owner::Account(full.id), Owner::Account(full.id), Owner::Organization] {
            issue(&owner).await?;
        }
        let following = issue(&Owner::Account(analyst.id)).await?;
        world.authority.disable_account(&world.admin, &disabled.id).await?;
        let limited = new().owner(carol.as_owner()).networks("203.0.113.0/24".parse()?);
        let limited = limited.scopes("invoices:read".parse()?).rate("5/60s".parse()?);
        let limited = world.authority.generate(&world.admin, limited).await?;
        let own = world.generate_for(carol, new()).await?;
        world.generate_for(carol, new()).await?;
        let mut bobs = String::new();
        for _ in 0..3 {
            bobs = world.generate_for(&world.bob, new()).await?.key.id.to_string();
        }
        let on = |policy: &mut Policy| *policy = common::open_policy();
        set_policy(&world.authority, &world.other, on).await?;
        let foreign_key = world.generate_for(&world.other, new()).await?;
        let account = NewAccount::new(name("foreign"), "analyst".parse()?);
        let foreign_account = world.authority.create_account(&world.other, account).await?.account;
        Ok(Self {
            analyst: analyst.id.to_string(),
            full: full.id.to_string(),
            disabled: disabled.id.to_string(),
            following: following.key.id.to_string(),
            limited: limited.key.id.to_string(),
            own: own.key.id.to_string(),
            bobs,
            foreign_key: foreign_key.key.id.to_string(),
            foreign_account: foreign_account.id.to_string(),
        })
    }
}

#[test]
fn q4_no_key_over_http_escapes_the_plan() {
    on_a_host(async |host| {
        let world = &host.world;
        let (carol, dana) = (both(world, "carol"), both(world, "dana"));
        let ids = Ids::fill(world, &carol).await?;
        let new = new_keys(world, &ids);
        let mut tries = refused(host, &[&dana], &new).await;
        let full = row(
            "a key too many",
            ("POST", "/keys"),
            json!({ "name": "prod-a" }),
            "409 too_many_keys",
            "owner - 3",
        );
        tries += refused(host, &[&carol], &[full]).await;
        // A tenant admin who is no developer generates no key at all.
        let denied = |row: Try| Try { problem: DENIED, limit: NONE.to_owned(), ..row };
        let new = new.into_iter().filter(|row| row.problem != UNKNOWN).map(denied);
        tries += refused(host, &[&world.tenant_admin], &new.collect::<Vec<_>>()).await;
        tries += refused(host, &[&carol], &changes_of_keys(&ids)).await;
        tries += refused(host, &[&carol, &world.tenant_admin], &changes_of_others(&ids)).await;
        assert!(tries >= 80, "{tries}");

        // The rest is possible: dana has no key yet.
        let made = host.ask("POST", "/keys").by(&dana).json(json!({ "name": "prod-a" }));
        assert_eq!(made.send().await.status, 201);
        Ok(())
    });
}

/// Returns new keys, each beyond the plan or for another owner.
fn new_keys(world: &World, ids: &Ids) -> Vec<Try> {
    let keys = ("POST", "/keys");
    let account = format!("account:{}", ids.analyst);
    let foreign = format!("account:{}", ids.foreign_account);
    let of_account = format!("/accounts/{}/keys", ids.analyst);
    let of_foreign = format!("/accounts/{}/keys", ids.foreign_account);
    let new = |field: &str, value: Value| json!({ "name": "prod-a", field: value });
    let later = world.later(31 * DAY).to_string();
    vec![
        row(
            "an unknown scope",
            keys,
            new("scopes", json!(["billing:admin"])),
            "422 scope_outside_ceiling",
            "scopes billing:admin -",
        ),
        row("every scope", keys, new("scopes", json!(["*"])), UNKNOWN, "scopes[0] - -"),
        row(
            "a higher rate",
            keys,
            new("rate", json!("101/60s")),
            "422 rate_above_limit",
            "rate 101/60s 100/60s",
        ),
        row(
            "a longer lifetime",
            keys,
            new("expires_in", json!(2_592_001)),
            "422 lifetime_too_long",
            "expires_in 2592001 2592000",
        ),
        row(
            "a later expiry",
            keys,
            new("expires_at", json!(later)),
            "422 lifetime_too_long",
            "expires_at 2678400 2592000",
        ),
        row(
            "no expiry",
            keys,
            new("never_expires", json!(true)),
            "422 expiry_required",
            "expires_at - -",
        ),
        row("a key of another user", keys, new("owner", json!("user:alice")), DENIED, NONE),
        row("a key of an account", keys, new("owner", json!(account)), DENIED, NONE),
        row("a key of the organization", keys, new("owner", json!("organization")), DENIED, NONE),
        row("a key of a foreign account", keys, new("owner", json!(foreign)), DENIED, NONE),
        row("a key in an account", ("POST", &of_account), new("rate", json!("1/1s")), DENIED, NONE),
        row(
            "a key in a foreign account",
            ("POST", &of_foreign),
            new("rate", json!("1/1s")),
            DENIED,
            NONE,
        ),
        row(
            "a key of another tenant",
            keys,
            new("tenant", json!("initech")),
            UNKNOWN,
            "tenant - -",
        ),
        row("another prefix", keys, new("prefix", json!("acme_admin")), UNKNOWN, "prefix - -"),
        row("more access", keys, new("access", json!("read-write")), UNKNOWN, "access - -"),
        row("a role", keys, new("role", json!("operator")), UNKNOWN, "role - -"),
        row("an id", keys, new("id", json!(ids.bobs)), UNKNOWN, "id - -"),
        row("a creator", keys, new("created_by", json!("user:ada")), UNKNOWN, "created_by - -"),
    ]
}

/// Returns changes of carol's own keys beyond her limits.
fn changes_of_keys(ids: &Ids) -> Vec<Try> {
    let (own, limited) = (format!("/keys/{}", ids.own), format!("/keys/{}", ids.limited));
    let (own, limited) = (("PATCH", own.as_str()), ("PATCH", limited.as_str()));
    let rotate = format!("{}/rotate", own.1);
    let set = "422 set_by_administrator";
    vec![
        row(
            "an unknown scope",
            own,
            json!({ "scopes": ["billing:admin"] }),
            "422 scope_outside_ceiling",
            "scopes billing:admin -",
        ),
        row(
            "a higher rate",
            own,
            json!({ "rate": "101/60s" }),
            "422 rate_above_limit",
            "rate 101/60s 100/60s",
        ),
        row("default scopes", limited, json!({ "scopes": [] }), set, "scopes - invoices:read"),
        row(
            "other scopes",
            limited,
            json!({ "scopes": ["invoices:write"] }),
            set,
            "scopes - invoices:read",
        ),
        row("no rate", limited, json!({ "rate": null }), set, "rate - 5/60s"),
        row("the default rate", limited, json!({ "rate": "100/60s" }), set, "rate - 5/60s"),
        row("any network", limited, json!({ "networks": [] }), set, "networks - 203.0.113.0/24"),
        row(
            "more networks",
            limited,
            json!({ "networks": ["203.0.0.0/8"] }),
            set,
            "networks - 203.0.113.0/24",
        ),
        row("a later expiry", own, json!({ "expires_in": 60 }), UNKNOWN, "expires_in - -"),
        row("no expiry", own, json!({ "never_expires": true }), UNKNOWN, "never_expires - -"),
        row("another owner", own, json!({ "owner": "organization" }), UNKNOWN, "owner - -"),
        row(
            "limits of its own",
            limited,
            json!({ "admin_limits": {} }),
            UNKNOWN,
            "admin_limits - -",
        ),
        row(
            "a longer overlap",
            ("POST", &rotate),
            json!({ "overlap": 86_401 }),
            "422 overlap_too_long",
            "overlap 86401 86400",
        ),
        row("an older version", own, json!({ "rate": "1/1s" }), "412 stale", "version 9 1")
            .if_match("\"9\""),
    ]
}

/// Returns changes of what belongs to others: keys, accounts, owners, and another tenant.
fn changes_of_others(ids: &Ids) -> Vec<Try> {
    let key = |id: &str, action: &str| format!("/keys/{id}{action}");
    let account = |id: &str, action: &str| format!("/accounts/{id}{action}");
    let (following, bobs, foreign) = (&ids.following, &ids.bobs, &ids.foreign_key);
    let absent = "404 key_not_found";
    let to = |owner: &str| json!({ "owner": owner });
    let carol = to("user:carol");
    let hand = |to: &str| json!({ "from": "user:carol", "to": to });
    let full = format!("account:{}", ids.full);
    let table = [
        ("an account's scopes", "PATCH", key(following, ""), json!({ "scopes": [] }), DENIED),
        ("an account's secret", "POST", key(following, "/rotate"), json!({ "overlap": 0 }), DENIED),
        ("another's rate", "PATCH", key(bobs, ""), json!({ "rate": null }), DENIED),
        ("another's secret", "POST", key(bobs, "/rotate"), json!({ "overlap": 0 }), DENIED),
        ("another's switch", "POST", key(bobs, "/disable"), json!({}), DENIED),
        ("another's key", "DELETE", key(bobs, ""), json!({}), DENIED),
        ("an account's key", "POST", key(following, "/transfer"), carol.clone(), DENIED),
        ("a full user", "POST", key(&ids.own, "/transfer"), to("user:bob"), DENIED),
        ("a full account", "POST", key(&ids.own, "/transfer"), to(&full), DENIED),
        ("a full organization", "POST", key(&ids.own, "/transfer"), to("organization"), DENIED),
        ("a user with room", "POST", key(&ids.own, "/transfer"), to("user:dana"), DENIED),
        (
            "all keys to the organization",
            "POST",
            "/owners/transfer".into(),
            hand("organization"),
            DENIED,
        ),
        ("all keys to a user", "POST", "/owners/transfer".into(), hand("user:dana"), DENIED),
        ("all keys to an account", "POST", "/owners/transfer".into(), hand(&full), DENIED),
        (
            "an account with a wide role",
            "POST",
            "/accounts".into(),
            json!({ "name": "own", "role": "operator" }),
            DENIED,
        ),
        ("a wider role", "PATCH", account(&ids.analyst, ""), json!({ "role": "operator" }), DENIED),
        (
            "more access",
            "PATCH",
            account(&ids.analyst, ""),
            json!({ "access": "read-write" }),
            DENIED,
        ),
        ("an account on", "POST", account(&ids.disabled, "/enable"), json!({}), DENIED),
        ("no account", "DELETE", account(&ids.full, ""), json!({}), DENIED),
        ("a foreign key", "GET", key(foreign, ""), json!({}), absent),
        ("a foreign name", "PATCH", key(foreign, ""), json!({ "name": "mine" }), absent),
        ("a foreign secret", "POST", key(foreign, "/rotate"), json!({ "overlap": 0 }), absent),
        ("a foreign revocation", "POST", key(foreign, "/revoke"), json!({}), absent),
        ("a foreign deletion", "DELETE", key(foreign, ""), json!({}), absent),
        ("a foreign transfer", "POST", key(foreign, "/transfer"), carol, absent),
        (
            "a foreign account",
            "PATCH",
            account(&ids.foreign_account, ""),
            json!({ "role": "operator" }),
            DENIED,
        ),
        ("all tenants", "GET", "/tenants".into(), json!({}), "404 not_found"),
        ("a sweep of all tenants", "POST", "/sweep".into(), json!({}), "404 not_found"),
    ];
    let rows = table
        .into_iter()
        .map(|(what, method, path, body, problem)| row(what, (method, &path), body, problem, NONE));
    rows.collect()
}
