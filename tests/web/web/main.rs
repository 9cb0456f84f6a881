//! One table of requests for every adapter of the guard: tower, axum and actix must answer each
//! with the same bytes. A test's name starts with the row of attacks that it covers: `t_h01_` is H01.

mod exchange;
mod faces;
mod forged;
mod hiding;
mod inner_denials;
mod nested;
mod paths;
mod peers;
mod random;
mod settings;
mod site;
mod table;

use site::Site;

/// Runs a test in actix-web's runtime, in which tower and axum work too.
fn run(test: impl AsyncFnOnce(&Site)) {
    actix_web::rt::System::new().block_on(async {
        let site = Site::new().await;
        test(&site).await;
    });
}
