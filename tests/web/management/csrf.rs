//! Requests that another site makes a browser send have no effect, even with the login's cookie.

use serde_json::json;

use crate::client::{Host, document, on_a_host};
use common::picture_of_now;

#[test]
fn body_sendable_by_form_is_refused() {
    on_a_host(async |host| {
        let document = document()?;
        let mut asked = 0;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                if operation["requestBody"].is_null() {
                    continue;
                }
                let path = path.replace("{id}", "0000000000000000");
                let method = method.to_uppercase();
                let kinds = [
                    "application/x-www-form-urlencoded",
                    "multipart/form-data; boundary=x",
                    "text/plain",
                    "text/plain; a=application/json",
                    "application/json-patch+json",
                    "application/jsonx",
                    "",
                ];
                for kind in kinds {
                    let ask = host.ask(&method, &path).header("content-type", kind).bytes("{}");
                    let refused = ask.send().await;
                    assert_eq!(refused.problem(), (415, "unsupported_media_type"), "{path} {kind}");
                }
                let bare = host.ask(&method, &path).bytes("{}").send().await;
                assert_eq!(bare.status, 415, "{path}");
                asked += 1;
            }
        }
        assert_eq!(asked, 21);
        Ok(())
    });
}

/// Returns the paths of the actions that need no body, for subjects that exist.
async fn actions(host: &Host) -> Vec<String> {
    let (key, _) = host.key("prod-main-app").await;
    let account = host.account("nightly").await;
    let of_key =
        ["disable", "enable", "finish-rotation", "revoke"].map(|a| format!("/keys/{key}/{a}"));
    let of_account = ["disable", "enable"].map(|a| format!("/accounts/{account}/{a}"));
    let of_user = ["suspend", "restore"].map(|a| format!("/users/bob/{a}"));
    of_key.into_iter().chain(of_account).chain(of_user).collect()
}

#[test]
fn only_actions_need_no_body() {
    on_a_host(async |host| {
        let actions = actions(host).await;
        let document = document()?;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            let body = &methods["post"]["requestBody"];
            if body.is_null() {
                assert!(methods["post"].is_null(), "{path}");
                continue;
            }
            let is_action = actions.iter().any(|action| {
                let same_end = action.rsplit('/').next() == path.rsplit('/').next();
                same_end && action.split('/').count() == path.split('/').count()
            });
            assert_eq!(body["required"], json!(!is_action), "{path}");
            if !is_action {
                let bare = host.ask("POST", &path.replace("{id}", "0000000000000000")).send().await;
                assert_eq!(bare.problem(), (415, "unsupported_media_type"), "{path}");
            }
        }
        Ok(())
    });
}

#[test]
fn action_works_without_a_body() {
    on_a_host(async |host| {
        for path in actions(host).await {
            let bare = host.ask("POST", &path).send().await;
            assert_eq!(bare.status, 200, "{path}, as curl sends it");
            let typed = host.ask("POST", &path).header("content-type", "application/json");
            assert_eq!(typed.send().await.json["unchanged"], true, "{path}");
            // A body without a type is refused, also if it is empty JSON.
            let untyped = host.ask("POST", &path).bytes("{}").send().await;
            assert_eq!(untyped.problem(), (415, "unsupported_media_type"), "{path}");
            let more = host.ask("POST", &path).json(json!({ "reason": "leak" })).send().await;
            assert_eq!(more.problem(), (422, "invalid_body"), "{path}");
        }
        Ok(())
    });
}

#[test]
fn cross_site_action_without_body_is_refused() {
    on_a_host(async |host| {
        let refused: &[&[(&str, &str)]] = &[
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://keys.example")],
            &[("origin", "https://attacker.example")],
            &[("origin", "null")],
            &[("origin", "https://keys.example"), ("origin", "https://keys.example")],
        ];
        let accepted: &[&[(&str, &str)]] = &[
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://attacker.example")],
            &[("origin", "https://keys.example")],
            &[("referer", "https://attacker.example/")],
        ];
        let actions = actions(host).await;
        let picture = async || picture_of_now(&host.world.authority, &host.world.admin).await;
        let before = picture().await;
        for path in &actions {
            for headers in refused {
                let mut ask = host.ask("POST", path).header("host", "keys.example");
                for (name, value) in *headers {
                    ask = ask.header(name, *value);
                }
                assert_eq!(ask.send().await.problem(), (403, "cross_site"), "{path} {headers:?}");
            }
        }
        assert_eq!(picture().await, before, "nothing has changed");
        for headers in accepted {
            for path in &actions {
                let mut ask = host.ask("POST", path).header("host", "keys.example");
                for (name, value) in *headers {
                    ask = ask.header(name, *value);
                }
                let status = ask.send().await.status;
                assert!([200, 409].contains(&status), "{path} {headers:?} {status}");
            }
        }
        Ok(())
    });
}

#[test]
fn json_needs_no_site() {
    on_a_host(async |host| {
        // A browser asks with a preflight request of CORS first, which the host answers.
        let (key, _) = host.key("prod-main-app").await;
        let ask = host.ask("POST", &format!("/keys/{key}/revoke"));
        let ask = ask.header("sec-fetch-site", "same-site").header("origin", "https://app.example");
        assert_eq!(ask.json(json!({})).send().await.status, 200);
        Ok(())
    });
}

#[test]
fn json_content_type_has_many_spellings() {
    on_a_host(async |host| {
        let kinds = [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "application/json; Charset=\"utf-8\"",
            "application/json; v=1; charset=utf-8 ",
        ];
        for kind in kinds {
            let ask = host.ask("POST", "/keys").header("content-type", kind);
            let made = ask.bytes(r#"{"name":"prod-a"}"#).send().await;
            assert_eq!(made.status, 201, "{kind}");
        }
        let twice = host.ask("POST", "/keys").header("content-type", "text/plain");
        let twice = twice.json(json!({ "name": "prod-a" })).send().await;
        assert_eq!(twice.status, 415);
        Ok(())
    });
}

#[test]
fn json_in_another_charset_is_refused() {
    on_a_host(async |host| {
        let kinds = [
            "charset=utf-16",
            "charset=UTF-16LE",
            "charset=iso-8859-1",
            "charset=\"utf-16\"",
            "charset=\"utf-8",
            "charset='utf-8'",
            "charset=utf8",
            "charset=",
            "charset",
            "charset =utf-8",
            "charset=utf-8; charset=utf-16",
            "charset=utf-16; charset=utf-8",
            "CHARSET=utf-16",
            "v=\"; charset=utf-16\"",
        ];
        for kind in kinds {
            let kind = format!("application/json; {kind}");
            let ask = host.ask("POST", "/keys").header("content-type", &kind);
            let refused = ask.bytes(r#"{"name":"prod-a"}"#).send().await;
            assert_eq!(refused.problem(), (415, "unsupported_media_type"), "{kind}");
        }
        Ok(())
    });
}
