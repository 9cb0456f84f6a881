//! The stand-in login: it is marked on every page, and another origin cannot use it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use keywright_products::products::ALL;
use tower::ServiceExt;

use crate::browser::Browser;

#[tokio::test]
async fn start_page_lists_five_products() {
    let mut browser = Browser::new().await;
    let start = browser.get("/").await;
    for product in ALL {
        let page = browser.follow(&start, product.name).await;
        assert!(page.path.starts_with(&product.path()), "{}", page.path);
    }
}

#[tokio::test]
async fn every_page_marks_the_login() {
    let mut browser = Browser::new().await;
    for product in ALL {
        for person in product.people {
            let page = browser.log_in(product, person.id).await;
            assert!(page.html.contains("Demo login, without a password"));
        }
    }
}

#[tokio::test]
async fn other_origin_cannot_switch_user() {
    let browser = Browser::new().await;
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.test")] {
        let request = Request::post("/workbase/demo-user")
            .header("host", "products.test")
            .header(header, value)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("user=mila"))
            .expect("a request");
        let response = browser.app.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{header}");
    }
}
