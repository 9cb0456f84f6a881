//! One table of requests, put to every face of the guard: tower, axum and actix must answer each of
//! them with the same bytes. A test is named after the row of attacks that it holds: `h01_` is H01.

mod exchange;
mod faces;
mod forged;
mod hiding;
mod nested;
mod paths;
mod peers;
mod random;
mod site;
mod table;

use site::Site;

/// Runs a test in the one runtime that actix-web needs; tower and axum are content with it.
fn run(test: impl AsyncFnOnce(&Site)) {
    actix_web::rt::System::new().block_on(async {
        let site = Site::new().await;
        test(&site).await;
    });
}
