//! Behavior that all routes share: methods, paths and headers.

use serde_json::json;

use crate::client::on_a_host;

#[test]
fn unknown_path_is_not_found() {
    on_a_host(async |host| {
        for path in ["/nothing", "/keys/", "/keys/a/b", "/accounts/a/b/c"] {
            assert_eq!(host.get(path).await.problem(), (404, "not_found"), "{path}");
        }
        Ok(())
    });
}

#[test]
fn wrong_method_lists_the_allowed_ones() {
    on_a_host(async |host| {
        let table = [
            ("DELETE", "/keys", "GET,HEAD,POST"),
            ("PUT", "/keys/0000000000000000", "DELETE,GET,HEAD,PATCH"),
            ("GET", "/keys/revoke", "POST"),
            ("GET", "/keys/0000000000000000/rotate", "POST"),
            ("POST", "/policy", "GET,HEAD"),
            ("POST", "/plan", "GET,HEAD,PUT"),
            ("PUT", "/settings", "GET,HEAD,PATCH"),
            ("PUT", "/users/alice", "GET,HEAD,PATCH"),
            ("TRACE", "/events", "GET,HEAD"),
            ("OPTIONS", "/openapi.json", "GET,HEAD"),
        ];
        for (method, path, allow) in table {
            let refused = host.ask(method, path).send().await;
            assert_eq!(refused.problem(), (405, "method_not_allowed"), "{method} {path}");
            let mut allowed: Vec<&str> =
                refused.header("allow").expect("Allow").split(',').collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), allow, "{path}");
        }
        Ok(())
    });
}

#[test]
fn head_answers_as_get_without_body() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        for path in [format!("/keys/{id}"), "/plan".to_owned(), "/settings".to_owned()] {
            let (get, head) = (host.get(&path).await, host.ask("HEAD", &path).send().await);
            assert_eq!(head.status, 200);
            assert_eq!(head.text, "");
            assert_eq!(head.header("etag"), get.header("etag"));
            assert_eq!(head.header("content-type"), get.header("content-type"));
        }
        Ok(())
    });
}

#[test]
fn malformed_id_is_answered_as_absent() {
    on_a_host(async |host| {
        let absent = "0000000000000000";
        let malformed = [
            "x",
            "0000000000000000Z",
            "0000-00000000000",
            "%FF",
            "%00",
            "..%2F..%2Fkeys",
            "%F0%9F%94%91",
        ];
        let actions = [
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("POST", "/rotate"),
            ("POST", "/finish-rotation"),
            ("POST", "/revoke"),
            ("POST", "/transfer"),
        ];
        let of_accounts = [
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("POST", "/keys"),
        ];
        let routes = actions.iter().map(|action| ("/keys", action));
        let routes = routes.chain(of_accounts.iter().map(|action| ("/accounts", action)));
        let world = &host.world;
        for (kind, (method, action)) in routes {
            // The second body is invalid, and the third actor lacks the permission.
            let bodies = [json!({ "name": "prod-a" }), json!({ "owner": 1 }), json!({})];
            for (body, actor) in bodies.into_iter().zip([&world.admin, &world.admin, &world.alice])
            {
                let send = |id: &str| {
                    let ask = host.ask(method, &format!("{kind}/{id}{action}")).by(actor);
                    ask.json(body.clone()).send()
                };
                let expected = send(absent).await;
                assert!([403, 404, 422].contains(&expected.status), "{}", expected.status);
                for id in malformed {
                    let answer = send(id).await;
                    assert_eq!(answer.text, expected.text, "{method} {kind}/{id}{action}");
                }
            }
        }
        Ok(())
    });
}
