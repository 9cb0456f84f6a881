//! Every screen of the five products, for each of their users.

use std::collections::BTreeSet;

use keywright_products::products::ALL;
use scraper::Html;

use crate::browser::{Browser, Page};

/// A page of keys has fewer screens than this.
const MOST: usize = 300;

fn check(page: &Page) {
    let path = &page.path;
    assert!(page.status.is_success(), "{path}: {}: {}", page.status, page.text());
    assert_eq!(Html::parse_document(&page.html).errors, Vec::<String>::new(), "{path}");
    assert_eq!(page.html.matches("<h1").count(), 1, "{path}");
    let policy = page.headers.get("content-security-policy").expect("a policy");
    let policy = policy.to_str().expect("text");
    for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    for unsafe_part in [" style=\"", "<style", " onclick", "javascript:"] {
        assert!(!page.html.contains(unsafe_part), "{path} has {unsafe_part}");
    }
}

#[tokio::test]
async fn every_link_leads_to_a_screen() {
    let mut browser = Browser::new().await;
    for product in ALL {
        for person in product.people {
            let first = browser.log_in(product, person.id).await;
            if !first.status.is_success() {
                first.shows(&["Ada Lovelace"]);
                continue;
            }
            let root = format!("/{}/", product.slug);
            let mut seen = BTreeSet::new();
            let mut open = vec![first];
            while let Some(page) = open.pop() {
                check(&page);
                for link in page.links() {
                    if link.starts_with(&root) && seen.insert(link.clone()) {
                        open.push(browser.get(&link).await);
                    }
                }
                assert!(seen.len() < MOST, "{}: {} screens", product.name, seen.len());
            }
            assert!(!seen.is_empty(), "{} sees no link of {}", person.name, product.name);
        }
    }
}
