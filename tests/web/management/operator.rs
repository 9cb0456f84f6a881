//! The operator's routes: lists, revokes and the sweep over all tenants, for operators alone.

use futures_lite::future::block_on;
use keywright::store::{EventQuery, MemoryStore};
use keywright::{Actor, EventActor, KeyId, Operator, TenantId};
use serde_json::{Value, json};

use crate::client::{Host, operator_document};
use common::faults::Fault;
use common::{DAY, TestResult, World, named, open_policy, set_policy, user};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

struct Desk {
    host: Host,
    carol: Operator,
    /// A live key of alice in each tenant.
    keys: Vec<KeyId>,
}

fn admin_of(tenant: &str) -> Actor {
    Actor::administrator(user("ada")).in_tenant(TenantId::new(tenant).expect("a tenant"))
}

impl Desk {
    async fn open() -> TestResult<Self> {
        let world = World::bare(MemoryStore::new());
        let mut keys = Vec::new();
        for tenant in TENANTS {
            let admin = admin_of(tenant);
            set_policy(&world.authority, &admin, |policy| *policy = open_policy()).await?;
            let new = named("prod-main-app").owner(world.alice.as_owner()).expires_in(9 * DAY);
            keys.push(world.authority.generate(&admin, new).await?.key.id);
        }
        let host = Host::of_operators(&world)?;
        Ok(Self { host, carol: Operator::new(user("carol")), keys })
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.host.ask("GET", path).by_operator(&self.carol).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.host.ask("POST", path).by_operator(&self.carol).json(body).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json["results"].clone()
    }

    /// Returns a request for each operation of the document that needs a login.
    fn requests(&self) -> TestResult<Vec<(String, String, Value)>> {
        let mut requests = Vec::new();
        for (path, methods) in operator_document()?["paths"].as_object().ok_or("paths")? {
            for method in methods.as_object().ok_or("methods")?.keys() {
                let body = match path.as_str() {
                    "/keys/revoke" => json!({ "ids": [self.keys[0]] }),
                    "/owners/revoke" => json!({ "owner": "user:alice" }),
                    _ => json!({}),
                };
                let path = path.replace("{id}", self.keys[0].as_str());
                requests.push((method.to_uppercase(), path, body));
            }
        }
        requests.retain(|(_, path, _)| path != "/openapi.json");
        assert_eq!(requests.len(), 6);
        Ok(requests)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the callers pass closures")]
#[track_caller]
fn at_a_desk(test: impl AsyncFn(&Desk) -> TestResult) {
    let done = block_on(async { test(&Desk::open().await?).await });
    if let Err(error) = done {
        panic!("a step failed: {error} ({error:?})");
    }
}

#[test]
fn actor_of_a_tenant_is_no_operator() {
    at_a_desk(async |desk| {
        for (method, path, body) in desk.requests()? {
            let ask = || desk.host.ask(&method, &path).json(body.clone());
            // The strongest actor of a tenant, and an operator in one tenant, which is an actor too.
            let in_globex = desk.carol.in_tenant(TenantId::new("globex")?);
            for actor in [&admin_of("globex"), &in_globex] {
                let refused = ask().by(actor).send().await;
                assert_eq!(refused.problem(), (401, "login_required"), "{method} {path}");
            }
            let refused = ask().unauthenticated().send().await;
            assert_eq!(refused.problem(), (401, "login_required"), "{method} {path}");
        }
        let document = desk.host.ask("GET", "/openapi.json").unauthenticated().send().await;
        assert_eq!(document.json["info"], operator_document()?["info"]);
        // The other way round, an operator is no user of a tenant.
        let tenant = Host::of(&desk.host.world)?;
        let refused = tenant.ask("GET", "/keys").by_operator(&desk.carol).send().await;
        assert_eq!(refused.problem(), (401, "login_required"));
        Ok(())
    });
}

#[test]
fn tenants_are_listed_in_pages() {
    at_a_desk(async |desk| {
        let mut found = Vec::new();
        let mut path = "/tenants?limit=2".to_owned();
        loop {
            let page = desk.get(&path).await;
            found.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/tenants?limit=2&cursor={next}");
        }
        let ids: Vec<_> = found.iter().map(|entry| &entry["tenant"]).collect();
        assert_eq!(ids, TENANTS);
        assert_eq!((&found[0]["live_keys"], &found[0]["keys"]), (&json!(1), &json!(1)));
        let some = desk.get("/tenants?starting_with=init").await;
        assert_eq!(some["items"].as_array().map(Vec::len), Some(1));
        for query in ["limit=0", "limit=501", "cursor=event.asc.10", "search=a", "limit=1&limit=2"]
        {
            let path = format!("/tenants?{query}");
            let refused = desk.host.ask("GET", &path).by_operator(&desk.carol).send().await;
            assert_eq!(refused.problem(), (400, "invalid_query"), "{query}");
        }
        Ok(())
    });
}

#[test]
fn keys_of_all_tenants_are_listed() {
    at_a_desk(async |desk| {
        let mut found = Vec::new();
        let list = "/keys?never_used=true&expiring_within=864000&sort=expires_at&limit=2";
        let mut path = list.to_owned();
        loop {
            let page = desk.get(&path).await;
            found.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{list}&cursor={next}");
        }
        let mut tenants: Vec<_> =
            found.iter().map(|entry| entry["key"]["tenant"].clone()).collect();
        tenants.sort_by_key(Value::to_string);
        assert_eq!(tenants, TENANTS);
        let none = desk.get("/keys?expiring_within=60").await;
        assert_eq!(none["items"], json!([]));
        let one = desk.get(&format!("/keys/{}", desk.keys[1])).await;
        assert_eq!((&one["key"]["tenant"], &one["status"]), (&json!("globex"), &json!("active")));
        for id in ["4fQ2xk9ZrT7bWm1c", "nonsense"] {
            let path = format!("/keys/{id}");
            let absent = desk.host.ask("GET", &path).by_operator(&desk.carol).send().await;
            assert_eq!(absent.problem(), (404, "key_not_found"), "{id}");
        }
        Ok(())
    });
}

#[test]
fn keys_are_revoked_in_any_tenant() {
    at_a_desk(async |desk| {
        let absent = "4fQ2xk9ZrT7bWm1c";
        let ids = json!({ "ids": [desk.keys[0], absent, desk.keys[2]] });
        let results = desk.post("/keys/revoke", ids).await;
        assert_eq!(results[0]["tenant"], "acme");
        assert_eq!(results[0]["unchanged"], false);
        assert_eq!(
            (&results[1]["tenant"], &results[1]["problem"]["status"]),
            (&Value::Null, &json!(404))
        );
        assert_eq!(results[2]["key"]["tenant"], "initech");

        let results = desk.post("/owners/revoke", json!({ "owner": "user:alice" })).await;
        assert_eq!(results, json!([{ "tenant": "globex", "revoked": [desk.keys[1]] }]));
        let results = desk.post("/owners/revoke", json!({ "owner": "user:alice" })).await;
        assert_eq!(results, json!([]));

        let tenant = TenantId::new("globex")?;
        let events = desk.host.world.store.events(&tenant, &EventQuery::new()).await?;
        assert_eq!(events.items[0].actor, EventActor::Operator(user("carol")));

        let bodies = [
            ("/keys/revoke", json!({ "ids": [] })),
            ("/keys/revoke", json!({ "ids": [desk.keys[0]], "tenant": "acme" })),
            ("/owners/revoke", json!({ "owner": "alice" })),
            ("/owners/revoke", json!({})),
            ("/sweep", json!({ "tenant": "acme" })),
        ];
        for (path, body) in bodies {
            let ask = desk.host.ask("POST", path).by_operator(&desk.carol).json(body.clone());
            assert_eq!(ask.send().await.problem(), (422, "invalid_body"), "{path} {body}");
        }
        Ok(())
    });
}

#[test]
fn sweep_reports_each_tenant() {
    at_a_desk(async |desk| {
        let first = json!({ "ids": [desk.keys[0]] });
        desk.post("/keys/revoke", first).await;
        desk.host.world.clock.advance(100 * DAY);
        let results = desk.post("/sweep", json!({})).await;
        let tenants: Vec<_> =
            results.as_array().ok_or("a list")?.iter().map(|one| &one["tenant"]).collect();
        assert_eq!(tenants, TENANTS);
        assert_eq!(results[0]["keys"], json!([desk.keys[0]]));
        Ok(())
    });
}

#[test]
fn operator_routes_report_an_outage() {
    at_a_desk(async |desk| {
        desk.host.faulty.set(Fault::Down);
        for (method, path, body) in desk.requests()? {
            let ask = desk.host.ask(&method, &path).by_operator(&desk.carol).json(body);
            assert_eq!(ask.send().await.problem(), (503, "unavailable"), "{method} {path}");
        }
        Ok(())
    });
}

#[test]
fn operator_form_bodies_are_refused() {
    at_a_desk(async |desk| {
        for (_, path, _) in desk.requests()?.into_iter().filter(|(method, ..)| method == "POST") {
            let ask = desk.host.ask("POST", &path).by_operator(&desk.carol);
            let ask = ask.header("content-type", "text/plain").bytes("{}");
            assert_eq!(ask.send().await.problem(), (415, "unsupported_media_type"), "{path}");
        }
        Ok(())
    });
}
