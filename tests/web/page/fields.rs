//! The fields of the forms: their marks, the focus, and tokens that were pasted into the wrong one.

use keywright::http::page::{CustomField, ExpiryForm, KeyFields, Page};
use keywright::{NewAccount, Permissions};
use scraper::Html;

use common::TestResult;

use crate::form::Form;
use crate::rules::all;
use crate::seed;
use crate::site::{Answer, Site, on_a_site, on_site};

/// Returns a token whose key is gone.
async fn token(site: &Site) -> TestResult<String> {
    let made = site.key("gone").await;
    site.world.authority.delete(&site.world.alice, &made.key.id).await?;
    Ok(made.token.expose().to_owned())
}

/// Asserts that a form was refused without the token in it. The rules of the site refuse an answer
/// that shows a whole token.
#[track_caller]
fn must_redact(answer: &Answer, token: &str) {
    assert_eq!(answer.status, 422, "{}", answer.words());
    answer.must_say(&["(not shown: it looks like a token)"]);
    assert!(!answer.text.contains(&token[token.len() - 20..]), "{}", answer.text);
}

#[test]
fn focus_of_faults_moves_to_groups() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let opened = site.get(&format!("/keys/{key}/rotate")).await;
        let refused = site.send(&site.world.alice, &opened.form()).await;
        assert_eq!(refused.status, 422);
        let document = Html::parse_document(&refused.text);
        assert_eq!(all(&document, "#errors a[href='#overlap']").len(), 1);
        assert_eq!(all(&document, "fieldset#overlap[tabindex='-1']").len(), 1);
        Ok(())
    });
}

#[test]
fn optional_fields_of_host_are_marked() {
    let fields = |page: Page| {
        page.custom_field(CustomField::new("cost", "Cost center"))
            .custom_field(CustomField::new("team", "Team <b>").required())
    };
    on_site(fields, async |site| {
        let opened = site.get("/new").await;
        let controls = Form::controls_of(&opened, &opened.form().action);
        let label = |name: &str| {
            let control = controls.iter().find(|control| control.name == name);
            control.map(|control| control.label.clone())
        };
        assert_eq!(label("custom-cost").as_deref(), Some("Cost center (optional)"));
        assert_eq!(label("description").as_deref(), Some("Description (optional)"));
        // A field without the mark is required, as the name is.
        assert_eq!(label("custom-team").as_deref(), Some("Team <b>"));
        assert_eq!(label("name").as_deref(), Some("Name"));
        Ok(())
    });
}

#[test]
fn pasted_token_is_not_repeated() {
    on_site(
        |page| page.fields(KeyFields::ALL),
        async |site| {
            let (token, alice) = (token(site).await?, &site.world.alice);
            let key = site.key("prod-main-app").await.key.id;
            let rows: [(&str, &[(&str, &str)]); 5] = [
                ("/new", &[("networks", &token)]),
                ("/new", &[("expiry", &token)]),
                ("/new", &[("expiry", "date"), ("expires_on", &token)]),
                (&format!("/keys/{key}/edit"), &[("networks", &token)]),
                (
                    &format!("/keys/{key}/rotate"),
                    &[("overlap", "other"), ("overlap_hours", &token)],
                ),
            ];
            for (path, fields) in rows {
                let form = site.get(path).await.form().with(&[("name", "a")]).with(fields);
                must_redact(&site.send(alice, &form).await, &token);
            }
            Ok(())
        },
    );
}

#[test]
fn pasted_token_is_no_lifetime() {
    on_site(
        |page| page.expiry(ExpiryForm::Days),
        async |site| {
            let token = token(site).await?;
            let form = site.new_key(&[("set_expiry", "on"), ("lifetime_days", &token)]).await;
            must_redact(&site.send(&site.world.alice, &form).await, &token);
            Ok(())
        },
    );
}

#[test]
fn pasted_token_is_no_role() {
    on_a_site(async |site| {
        let token = token(site).await?;
        // Without the permission to see the plan, the name of the role is typed.
        let manager = seed::with(Permissions::SHOW_ACCOUNTS | Permissions::MANAGE_ACCOUNTS);
        let new = NewAccount::new("builds".parse()?, "analyst".parse()?);
        let account = site.world.authority.create_account(&manager, new).await?.account.id;
        for path in ["/accounts/new", &format!("/accounts/{account}/edit")] {
            let opened = site.ask("GET", path).by(&manager).send().await;
            // A token of the page is no name of a role, and one of another service can be.
            for role in [&*token, "f2xk9zrt7bwm1c8pza0q6ld3vhys5nejg4"] {
                let form = opened.form().with(&[("name", "builds"), ("role", role)]);
                must_redact(&site.send(&manager, &form).await, role);
            }
        }
        Ok(())
    });
}

#[test]
fn pasted_token_is_no_owner() {
    on_a_site(async |site| {
        let (token, admin) = (token(site).await?, &site.world.admin);
        let key = site.key("prod-main-app").await.key.id;
        let path = format!("/keys/{key}/transfer");
        for user in [token.clone(), format!("user:{token}")] {
            let opened = site.ask("GET", &path).by(admin).send().await;
            let refused = site.send(admin, &opened.form().with(&[("user", &user)])).await;
            assert_eq!(refused.status, 422, "{}", refused.words());
            refused.must_say(&["There is no such owner."]);
        }
        let owner = site.world.authority.key(admin, &key).await?.key.owner.clone();
        assert_eq!(owner, site.world.alice.as_owner());
        Ok(())
    });
}
