//! Requests that another site makes a browser send have no effect, even with the login's cookie.

use serde_json::json;

use crate::client::{document, on_a_host};

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

#[test]
fn every_post_has_a_body() -> Result<(), Box<dyn std::error::Error>> {
    for (path, methods) in document()?["paths"].as_object().expect("paths") {
        let body = &methods["post"]["requestBody"];
        assert!(methods["post"].is_null() || body["required"] == json!(true), "{path}");
    }
    Ok(())
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
