//! Walks of several actors, in several languages and under several paths.

use keywright::Permissions;
use keywright::http::page::{ExpiryForm, KeyFields, Page, Screens, Texts};
use keywright::store::MemoryStore;

use common::{TestResult, World, block_on};

use crate::marked;
use crate::seed;
use crate::site::{MOUNTS, Site};
use crate::walker::{Walk, walk};

/// The screens that a walk visits.
const SCREENS: fn() -> Screens =
    || Screens::OWN_KEYS | Screens::ORGANIZATION_KEYS | Screens::ACCOUNTS | Screens::TENANT_ADMIN;

fn options(page: Page) -> Page {
    page.screens(SCREENS()).fields(KeyFields::ALL).administrators(seed::ADMINISTRATORS)
}

/// Walks as each actor on records of its own.
fn walk_all(
    mount: (&'static str, &str),
    options: impl Fn(Page) -> Page,
    prepare: impl Fn(&mut Site),
    check: impl Fn(&str, &Walk<'_>),
) -> TestResult {
    block_on(async {
        let count = seed::actors(&World::new(MemoryStore::new())).len();
        for number in 0..count {
            let world = seed::world().await?;
            let (name, actor) = seed::actors(&world).swap_remove(number);
            let mut site = Site::at(mount, &world, &options)?;
            prepare(&mut site);
            let data = seed::data();
            let walked = walk(&site, &actor, &data, 1).await;
            check(name, &walked);
        }
        Ok(())
    })
}

#[test]
fn every_actor_walks_in_english() -> TestResult {
    walk_all(
        MOUNTS[1],
        options,
        |_| {},
        |name, walk| {
            if name == "administrator" {
                let shapes: Vec<_> = walk.visited.iter().map(|(shape, _)| &**shape).collect();
                for path in [
                    "",
                    "/new",
                    "/organization",
                    "/keys/{id}",
                    "/keys/{id}/edit",
                    "/keys/{id}/rotate",
                ] {
                    assert!(
                        shapes.iter().any(|shape| shape.split('?').next()
                            == Some(&format!("/settings/keys{path}"))),
                        "{path}: {shapes:#?}"
                    );
                }
                let sent = |status| walk.sent.iter().filter(|(_, of)| *of == status).count();
                assert!(sent(303) >= 7 && sent(200) >= 2 && sent(422) >= 4, "{:#?}", walk.sent);
            }
        },
    )
}

#[test]
fn every_actor_walks_in_german() -> TestResult {
    let options = |page| {
        options(page).texts(|_| Texts::german()).expiry(ExpiryForm::Days).show_id_and_secret()
    };
    walk_all(MOUNTS[2], options, |_| {}, |_, _| {})
}

#[test]
fn every_text_is_translated() -> TestResult {
    let options = |page| {
        options(page)
            .texts(|_| marked::texts())
            .environment_variable("ACME_API_KEY")
            .expiry(ExpiryForm::Date)
    };
    walk_all(MOUNTS[0], options, |site| site.is_marked = true, |_, _| {})
}

#[test]
fn every_set_of_permissions_walks() -> TestResult {
    block_on(async {
        for (name, one) in Permissions::EACH {
            for permissions in [*one, *one | Permissions::SHOW_OWN, *one | Permissions::AUDITOR] {
                let world = seed::world().await?;
                let site = Site::of(&world, options)?;
                // Shown if the walk fails.
                println!("{name}: {permissions:?}");
                let (actor, data) = (seed::with(permissions), seed::data());
                let walked = walk(&site, &actor, &data, 4).await;
                assert!(!walked.visited.is_empty(), "{name}");
            }
        }
        Ok(())
    })
}
