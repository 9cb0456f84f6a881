//! Lists over HTTP: filters, pages and invalid queries.

use serde_json::{Value, json};

use crate::client::{Answer, on_a_host};

fn names(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().expect("items");
    items.iter().map(|item| item["key"]["name"].as_str().expect("a name")).collect()
}

#[test]
fn keys_are_filtered_and_ordered() {
    on_a_host(async |host| {
        let (a, _) = host.key("prod-a").await;
        host.post("/keys", json!({ "name": "prod-b", "contact": "ops@example.com" })).await;
        let new = json!({
            "name": "dev-c",
            "expires_in": 60,
            "description": "Fills the archive",
            "metadata": { "team": "billing", "note": "a:b" },
        });
        host.post("/keys", new).await;
        host.post(&format!("/keys/{a}/disable"), json!({})).await;
        let table = [
            ("search=PROD&sort=name", vec!["prod-a", "prod-b"]),
            ("status=disabled", vec!["prod-a"]),
            (
                "status=disabled&status=active&sort=name&descending=true",
                vec!["prod-b", "prod-a", "dev-c"],
            ),
            ("owner=user:ada&sort=name", vec!["dev-c", "prod-a", "prod-b"]),
            ("owner=user:bob", vec![]),
            ("expiring_within=60", vec!["dev-c"]),
            ("unused_since=2026-01-01T09:00:00Z", vec![]),
            ("unused_since=2026-01-01T09:00:01Z&sort=name&limit=1", vec!["dev-c"]),
            ("owner_kind=user&sort=name", vec!["dev-c", "prod-a", "prod-b"]),
            ("owner_kind=account", vec![]),
            ("contact=ops@example.com", vec!["prod-b"]),
            ("contact=OPS@example.com", vec![]),
            ("metadata=team:billing", vec!["dev-c"]),
            ("metadata=team:billing&metadata=note:a:b", vec!["dev-c"]),
            ("metadata=team:billing&metadata=note:a", vec![]),
            ("prefix=acme_live&sort=name&limit=1", vec!["dev-c"]),
            ("prefix=acme", vec![]),
            ("search=OPS@", vec!["prod-b"]),
            ("search=archive", vec!["dev-c"]),
            ("never_used=true&sort=name", vec!["dev-c", "prod-a", "prod-b"]),
            ("never_used=false&sort=last_used_at&search=dev-c", vec!["dev-c"]),
        ];
        for (query, expected) in table {
            let found = host.get(&format!("/keys?{query}")).await;
            assert_eq!(names(&found), expected, "{query}");
        }
        Ok(())
    });
}

#[test]
fn q11_page_has_the_number_of_all_rows() {
    on_a_host(async |host| {
        for name in ["prod-a", "prod-b", "dev-c"] {
            host.key(name).await;
        }
        let table = [
            ("count=true", 3, Some(3)),
            ("count=true&limit=1", 1, Some(3)),
            ("count=true&search=prod&limit=1&sort=name&descending=true", 1, Some(2)),
            ("count=true&owner=user:bob", 0, Some(0)),
            ("count=false", 3, None),
            ("", 3, None),
        ];
        for (query, items, total) in table {
            let found = host.get(&format!("/keys?{query}")).await;
            assert_eq!(names(&found).len(), items, "{query}");
            assert_eq!(found.json.get("total"), total.map(Value::from).as_ref(), "{query}");
        }
        let first = host.get("/keys?limit=2&count=true").await;
        let cursor = first.json["next"].as_str().ok_or("a second page")?;
        let second = host.get(&format!("/keys?limit=2&count=true&cursor={cursor}")).await;
        assert_eq!((names(&second).len(), &second.json["total"]), (1, &json!(3)));
        Ok(())
    });
}

#[test]
fn list_continues_after_its_cursor() {
    on_a_host(async |host| {
        for name in ["prod-a", "prod-b", "prod-c"] {
            host.key(name).await;
            host.account(name).await;
        }
        for list in ["/keys", "/accounts", "/events"] {
            let all = host.get(list).await.json["items"].as_array().expect("items").clone();
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = host.get(&format!("{list}?limit=2{cursor}")).await.json;
                seen.extend(page["items"].as_array().expect("items").iter().cloned());
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, all, "{list}");
        }
        Ok(())
    });
}

#[test]
fn events_are_filtered() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-a").await;
        let account = host.account("nightly").await;
        host.post(&format!("/keys/{id}/disable"), json!({})).await;
        let kinds = async |query: &str| -> Vec<Value> {
            let page = host.get(&format!("/events?{query}")).await.json;
            page["items"].as_array().expect("items").iter().map(|e| e["kind"].clone()).collect()
        };
        assert_eq!(kinds(&format!("key={id}")).await, ["key.disable", "key.generate"]);
        let oldest = kinds(&format!("key={id}&oldest_first=true")).await;
        assert_eq!(oldest, ["key.generate", "key.disable"]);
        assert_eq!(kinds(&format!("account={account}")).await, ["account.create"]);
        assert_eq!(kinds("kind=key.disable&actor=user:ada").await, ["key.disable"]);
        assert!(kinds("actor=user:bob").await.is_empty());
        assert!(kinds("until=2026-01-01T09:00:00Z").await.is_empty());
        assert!(kinds("since=2026-01-01T09:00:01Z").await.is_empty());
        Ok(())
    });
}

#[test]
fn accounts_are_searched() {
    on_a_host(async |host| {
        host.account("nightly").await;
        host.account("weekly").await;
        let found = host.get("/accounts?search=night&limit=1").await;
        assert_eq!(found.json["items"].as_array().map(Vec::len), Some(1));
        Ok(())
    });
}

#[test]
fn invalid_query_is_refused() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-a").await;
        let table = [
            "/keys?limit=0",
            "/keys?limit=501",
            "/keys?limit=70000",
            "/keys?limit=%2B5",
            "/keys?limit=05",
            "/keys?limit=%C2%B2",
            "/keys?expiring_within=%2B60",
            "/keys?expiring_within=060",
            "/keys?unused_since=2026-01-01%2009:00:00Z",
            "/keys?cursor=created.asc.0000000000000000.%2B5",
            "/accounts?cursor=account.05.0000000000000000",
            "/events?cursor=event.asc.%2B1",
            "/events?cursor=event.asc.01",
            "/events?limit=01",
            "/keys?limit=",
            "/keys?limit=1&limit=2",
            "/keys?status=dead",
            "/keys?sort=size",
            "/keys?sort=name&sort=name",
            "/keys?descending=yes",
            "/keys?count=1",
            "/keys?count=true&count=true",
            "/accounts?count=true",
            "/keys?never_used=",
            "/keys?owner=alice",
            "/keys?expiring_within=-1",
            "/keys?unused_since=yesterday",
            "/keys?cursor=x",
            "/keys?cursor=event.asc.1",
            "/keys?tenant=initech",
            "/keys?Limit=1",
            "/keys?x",
            "/accounts?cursor=event.asc.1",
            "/accounts?status=active",
            "/accounts?limit=501",
            "/events?kind=key.explode",
            "/events?key=x",
            "/events?account=x",
            "/events?actor=alice",
            "/events?actor=null",
            "/events?actor=User:alice",
            "/events?since=x",
            "/events?cursor=x",
            "/events?limit=0",
            "/policy?x=1",
            "/openapi.json?x=1",
        ];
        for path in table {
            assert_eq!(host.get(path).await.problem(), (400, "invalid_query"), "{path}");
        }
        let show = host.get(&format!("/keys/{id}?x=1")).await;
        assert_eq!(show.problem(), (400, "invalid_query"));
        let act = host.post(&format!("/keys/{id}/revoke?x=1"), json!({})).await;
        assert_eq!(act.problem(), (400, "invalid_query"));
        Ok(())
    });
}

#[test]
fn unmatchable_text_is_not_searched() {
    on_a_host(async |host| {
        for list in ["/keys", "/accounts"] {
            assert_eq!(host.get(&format!("{list}?search={}", "x".repeat(200))).await.status, 200);
            let long = host.get(&format!("{list}?search={}", "x".repeat(201))).await;
            assert_eq!(long.problem(), (400, "invalid_query"));
        }
        Ok(())
    });
}
