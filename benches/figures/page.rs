//! The page of keys in HTML, beside the listing that it shows.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures_lite::future::block_on;
use http_body_util::BodyExt;
use keywright::http::page::{self, Page};
use keywright::store::KeyQuery;
use kit::{Figure, Lane, Population, Run, Target, Unit, World};
use tower::ServiceExt;

const PAGE: &str = "page of 50 of 100,000 keys in HTML";
const BESIDE: &str = "page of 50 of 100,000 keys in HTML / its listing";
/// The number of calls in a round.
const CALLS: u32 = 20;

pub(crate) fn measure(run: &Run) {
    if !run.wants_one(&[PAGE, BESIDE]) {
        return;
    }
    let population = Population::of(run.size(100_000, 500));
    let world = &population.world;
    let router: Router = page::router(Page::new(world.authority.clone()));
    let query = KeyQuery::new().limit(50);
    let [page, listing] = run.rounds([
        Lane::calls(CALLS, || {
            black_box(block_on(shown(&router, world)));
        }),
        Lane::calls(CALLS, || {
            let keys = block_on(world.authority.keys(&world.admin, &query)).expect("keys");
            assert_eq!(black_box(keys).items.len(), 50);
        }),
    ]);
    run.show(&Figure::alone(PAGE, Unit::Seconds, &page).target(Target::Most(0.005)));
    run.show(&Figure::beside(BESIDE, Unit::Seconds, &page, &listing));
}

/// Returns the screen with the newest keys of the tenant.
async fn shown(router: &Router, world: &World) -> String {
    let request = Request::get("/all").extension(world.admin.clone()).body(Body::empty());
    let Ok(answer) = router.clone().oneshot(request.expect("a request")).await;
    assert_eq!(answer.status(), 200);
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    assert_eq!(text.matches("<tr>").count(), 51, "a head and 50 rows");
    text
}
