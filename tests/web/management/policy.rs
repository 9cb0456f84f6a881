//! The policy over HTTP: a client replaces it as a whole, and only the version that it has seen.

use serde_json::json;

use crate::client::on_a_host;

#[test]
fn policy_round_trips_with_a_change() {
    on_a_host(async |host| {
        let read = host.get("/policy").await;
        let tag = read.header("etag").expect("a tag").to_owned();
        let mut policy = read.json;
        policy["max_lifetime"] = json!(7_776_000);
        policy["name_pattern"] = json!({ "environments": ["prod", "dev"] });
        policy["roles"]["viewer"] = json!(["reports:read"]);
        policy["default_rate"] = json!("10/1s");
        policy["extensive_use"] = json!("1000/3600s");
        policy["suspicious_use"] = json!("20/300s");
        let set = || host.ask("PUT", "/policy").if_match(&tag).json(policy.clone()).send();
        let done = set().await;
        assert_eq!((done.status, &done.json["unchanged"]), (200, &json!(false)));
        assert_eq!(done.json["policy"], policy);
        let again = host.get("/policy").await;
        assert_eq!(again.json, policy);
        assert_eq!(again.header("etag"), done.header("etag"));
        assert_eq!(set().await.problem(), (412, "stale"));
        Ok(())
    });
}

#[test]
fn largest_possible_policy_is_accepted() {
    on_a_host(async |host| {
        let read = host.get("/policy").await;
        let mut policy = read.json.clone();
        let scopes = || -> Vec<String> { (0..64).map(|n| format!("s{n:0>63}")).collect() };
        policy["scope_ceiling"] = json!(scopes());
        for n in 0..64 - policy["roles"].as_object().expect("roles").len() {
            policy["roles"][format!("r{n:0>63}")] = json!(scopes());
        }
        let put = host.ask("PUT", "/policy").if_match(read.header("etag").expect("a tag"));
        let done = put.json(policy.clone()).send().await;
        assert_eq!((done.status, &done.json["policy"]), (200, &policy));
        Ok(())
    });
}

#[test]
fn policy_without_change_is_reported() {
    on_a_host(async |host| {
        let read = host.get("/policy").await;
        let put = host.ask("PUT", "/policy").if_match(read.header("etag").expect("a tag"));
        let same = put.json(read.json.clone()).send().await;
        assert_eq!((same.status, &same.json["unchanged"]), (200, &json!(true)));
        assert_eq!(same.header("etag"), read.header("etag"));
        Ok(())
    });
}

#[test]
fn policy_replacement_needs_its_version() {
    on_a_host(async |host| {
        let policy = host.get("/policy").await.json;
        let put = || host.ask("PUT", "/policy").json(policy.clone());
        assert_eq!(put().send().await.problem(), (428, "precondition_required"));
        let star = put().if_match("*").send().await;
        assert_eq!(star.problem(), (400, "precondition_not_supported"));
        Ok(())
    });
}

#[test]
fn incomplete_policy_is_refused() {
    on_a_host(async |host| {
        let read = host.get("/policy").await;
        let tag = read.header("etag").expect("a tag");
        for field in read.json.as_object().expect("fields").keys() {
            let mut policy = read.json.clone();
            policy.as_object_mut().expect("fields").remove(field);
            let put = host.ask("PUT", "/policy").if_match(tag).json(policy).send().await;
            assert_eq!(put.problem(), (422, "invalid_body"), "{field}");
            assert!(put.text_at("/detail").contains(field), "{field}");
        }
        Ok(())
    });
}

#[test]
fn only_the_host_changes_the_plan() {
    on_a_host(async |host| {
        let read = host.get("/policy").await;
        let mut policy = read.json.clone();
        policy["api_in_plan"] = json!(false);
        let put = host.ask("PUT", "/policy").if_match(read.header("etag").expect("a tag"));
        let put = put.by(&host.world.tenant_admin).json(policy).send().await;
        assert_eq!(put.problem(), (403, "permission_denied"));
        Ok(())
    });
}

#[test]
fn greatest_possible_version_is_stale() {
    on_a_host(async |host| {
        let mut policy = host.get("/policy").await.json;
        policy["require_expiry"] = json!(true);
        for tag in ["\"18446744073709551615\"", "\"9223372036854775807\""] {
            let put = host.ask("PUT", "/policy").if_match(tag).json(policy.clone()).send().await;
            assert_eq!(put.problem(), (412, "stale"), "{tag}");
        }
        policy["version"] = json!(u64::MAX);
        let put = host.ask("PUT", "/policy").if_match("\"1\"").json(policy).send().await;
        assert_eq!(put.problem(), (422, "invalid_body"));
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        let edit = host.ask("PATCH", &path).if_match("\"18446744073709551615\"");
        let edit = edit.json(json!({ "name": "prod-b" })).send().await;
        assert_eq!(edit.problem(), (412, "stale"));
        Ok(())
    });
}
