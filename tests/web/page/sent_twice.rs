//! Forms that are sent twice, by a reload, a second click or after a lost answer, and the one answer that
//! has a token.

use keywright::KeyId;

use common::all_keys;
use common::faults::Fault;

use crate::site::on_a_site;

#[test]
fn t_h16_reload_generates_no_second_key() {
    on_a_site(async |site| {
        let form = site.new_key(&[]).await;
        let first = site.send(&site.world.alice, &form).await;
        assert_eq!(first.status, 200, "{}", first.words());
        let token = first.token();
        for _ in 0..2 {
            let again = site.send(&site.world.alice, &form).await;
            assert_eq!(again.status, 409);
            again.must_say(&[
                "This form was sent already",
                "No second key was generated",
                "Open the key",
            ]);
            let key = &token["acme_live_".len()..][..16];
            assert!(again.text.contains(&site.path(&format!("/keys/{key}"))), "{}", again.text);
        }
        assert_eq!(all_keys(&site.world.authority, &site.world.admin).await.len(), 1);
        Ok(())
    });
}

#[test]
fn t_h16_changed_copy_generates_no_key() {
    on_a_site(async |site| {
        let form = site.new_key(&[]).await;
        assert_eq!(site.send(&site.world.alice, &form).await.status, 200);
        let renamed = form.clone().with(&[("name", "another-name")]);
        assert_eq!(site.send(&site.world.alice, &renamed).await.status, 409);
        // Without its ticket, a form says that it must be opened again.
        for ticket in ["", "short", "<script>", &"x".repeat(500)] {
            let forged = form.clone().with(&[("ticket", ticket)]);
            assert_eq!(site.send(&site.world.alice, &forged).await.status, 412, "{ticket}");
        }
        assert_eq!(site.send(&site.world.alice, &form.without("ticket")).await.status, 412);
        assert_eq!(all_keys(&site.world.authority, &site.world.admin).await.len(), 1);
        Ok(())
    });
}

#[test]
fn t_h16_ticket_of_another_user_reveals_nothing() {
    on_a_site(async |site| {
        let form = site.new_key(&[]).await;
        assert_eq!(site.send(&site.world.alice, &form).await.status, 200);
        // The same ticket belongs to another key for another actor.
        let of_bob = form.with(&[("owner", "user:bob")]);
        let made = site.send(&site.world.bob, &of_bob).await;
        assert_eq!(made.status, 200, "{}", made.words());
        Ok(())
    });
}

#[test]
fn t_h16_second_click_changes_nothing_more() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let (world, path) = (&site.world, |form: &str| format!("/keys/{key}/{form}"));
        // The first answer of a rotation has the token; the second says where to look.
        let form = site.get(&path("rotate")).await.form().with(&[("overlap", "24")]);
        assert_eq!(site.send(&world.alice, &form).await.status, 200);
        let again = site.send(&world.alice, &form).await;
        assert_eq!(again.status, 412);
        again.must_say(&["Changed in the meantime", "Open the key", "Rotate again"]);
        let secrets = world.authority.key(&world.admin, &key).await?.key.secret_number;
        assert_eq!(secrets, 2, "one rotation");
        for (form, second) in
            [("finish", 303), ("disable", 303), ("enable", 303), ("revoke", 303), ("delete", 404)]
        {
            let form = site.get(&path(form)).await.form();
            assert_eq!(site.send(&world.alice, &form).await.status, 303, "{}", form.action);
            let again = site.send(&world.alice, &form).await;
            assert_eq!(again.status, second, "{}: {}", form.action, again.words());
        }
        Ok(())
    });
}

#[test]
fn t_h16_lost_answer_leaves_one_key() {
    on_a_site(async |site| {
        let form = site.new_key(&[("name", "lost & found")]).await;
        site.faults.set_after(0, Fault::AnswersLost);
        let lost = site.send(&site.world.alice, &form).await;
        site.faults.set(None);
        assert_eq!(lost.status, 503);
        assert_eq!(lost.header("retry-after"), Some("2"));
        lost.must_say(&[
            "The key may exist, but its secret was never shown",
            "Look for keys with the name lost & found",
        ]);
        assert!(lost.refusal.as_ref().expect("a reason").cause().is_some());
        let link = site.path("/?q=lost+%26+found&amp;status=all");
        assert!(lost.text.contains(&link), "{}", lost.text);
        let found = site.get("/?q=lost+%26+found&status=all").await;
        found.must_say(&["lost & found", "Active", "Rotate"]);
        // The same form finds the key, and another secret is one click away.
        let again = site.send(&site.world.alice, &form).await;
        assert_eq!(again.status, 409, "{}", again.words());
        again.must_say(&["The key exists", "rotate the key"]);
        assert_eq!(all_keys(&site.world.authority, &site.world.admin).await.len(), 1);
        Ok(())
    });
}

#[test]
fn t_h16_lost_organization_key_is_found() {
    on_a_site(async |site| {
        let admin = &site.world.admin;
        let form = site.ask("GET", "/new?owner=organization").by(admin).send().await.form();
        site.faults.set_after(0, Fault::AnswersLost);
        let lost = site.send(admin, &form.with(&[("name", "shared")])).await;
        site.faults.set(None);
        assert_eq!(lost.status, 503);
        let link = site.path("/organization?q=shared&amp;status=all");
        assert!(lost.text.contains(&link), "{}", lost.text);
        Ok(())
    });
}

#[test]
fn t_h16_token_is_on_one_answer() {
    on_a_site(async |site| {
        // A form with a fault keeps its ticket, and the answer to the mended one has the token.
        let form = site.new_key(&[("name", "")]).await;
        let refused = site.send(&site.world.alice, &form).await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.form().value("ticket"), form.value("ticket"));
        let mended = refused.form().with(&[("name", "mended")]);
        let made = site.send(&site.world.alice, &mended).await;
        assert_eq!(made.status, 200, "{}", made.words());
        let token = made.token();
        assert_eq!(site.world.says(&token), "current");
        // The site compares every later answer with the token.
        let key: KeyId = token["acme_live_".len()..][..16].parse()?;
        let forms = ["", "/edit", "/rotate", "/disable", "/revoke", "/delete"];
        for path in forms
            .map(|form| format!("/keys/{key}{form}"))
            .iter()
            .map(String::as_str)
            .chain(["/", "/new"])
        {
            assert_eq!(site.get(path).await.status, 200, "{path}");
        }
        let again = site.send(&site.world.alice, &mended).await;
        assert_eq!(again.status, 409);
        Ok(())
    });
}

#[test]
fn t_h16_rotated_token_is_on_one_answer() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await;
        let form = site.get(&format!("/keys/{}/rotate", key.key.id)).await.form();
        let refused = site.send(&site.world.alice, &form).await;
        assert_eq!(refused.status, 422);
        let made = site.send(&site.world.alice, &refused.form().with(&[("overlap", "0")])).await;
        assert_eq!(site.world.says(&made.token()), "current");
        assert_ne!(site.world.says(key.token.expose()), "current", "without an overlap");
        let shown = site.get(&format!("/keys/{}", key.key.id)).await;
        shown.must_not_say(&[key.token.expose()]);
        Ok(())
    });
}
