//! The span and the counts of leak reports, and of those that are refused over HTTP.

use axum::body::Body;
use axum::http::Request;
use common::capture::captured;
use common::faults::Fault;
use common::recorded::{Metrics, recorded};
use common::{World, block_on};
use keywright::http::reports::SignedReports;
use keywright::{Credential, LeakReport, Verifier};
use tower::ServiceExt;
use tracing::Level;

fn report<'t>(
    world: &World,
    token: &'t str,
    change: impl FnOnce(LeakReport<'t>) -> LeakReport<'t>,
) {
    let report = change(LeakReport::new(Credential::Token(token)));
    drop(block_on(world.verifier.report_leak(&report)));
}

#[test]
fn b22_leak_report_has_its_span() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    let token = issued.token.expose();
    for (fault, outcome, code) in
        [(Some(Fault::Down), "failed", "unavailable"), (None, "done", ""), (None, "unchanged", "")]
    {
        faults.set(fault);
        let ((), seen) = captured(|| report(&world, token, |report| report.source("a place")));
        let span = seen.span("keywright.leak.report");
        assert_eq!((span.level, span.outcome()), (Level::INFO, outcome));
        assert_eq!(span.field("error.type"), code);
        let key = if outcome == "failed" { "" } else { issued.key.id.as_str() };
        assert_eq!(span.field("keywright.key_id"), key);
        assert_eq!(seen.events.len(), usize::from(fault.is_some()), "{:?}", seen.events);
    }
    let ((), seen) = captured(|| report(&world, "not a token", |report| report));
    let span = seen.span("keywright.leak.report");
    assert_eq!((span.outcome(), span.field("error.type")), ("refused", "unknown"));
}

#[test]
fn b22_every_leak_report_counts_once() {
    let (world, faults) = World::faulty(|builder| builder);
    let [ended, kept] = [block_on(world.key()), block_on(world.key())];
    let ((), metrics) = recorded(|| {
        report(&world, kept.token.expose(), LeakReport::alert_only);
        for _ in 0..3 {
            report(&world, ended.token.expose(), |report| report);
        }
        report(&world, "not a token", |report| report);
        faults.set(Fault::Down);
        report(&world, ended.token.expose(), |report| report);
    });
    let outcomes =
        [("recorded", 1), ("revoked", 1), ("unchanged", 2), ("unknown", 1), ("failed", 1)];
    for (outcome, count) in outcomes {
        let name = format!("keywright_leak_reports_total outcome={outcome}");
        assert_eq!(metrics.count(&name), count, "{outcome}");
    }
    let done = "keywright_operations_total operation=leak.report outcome=done";
    assert_eq!(metrics.count(done), 2);
}

/// Sends a report without a signature.
pub(crate) async fn send_unsigned(verifier: Verifier) {
    let router = SignedReports::new(verifier).router::<()>();
    let request = Request::post("/").body(Body::from(r#"{"tokens": []}"#)).expect("a request");
    assert_eq!(router.oneshot(request).await.expect("an answer").status(), 403);
}

#[test]
fn b22_refused_report_counts_its_reason() {
    let world = World::in_memory();
    let ((), metrics): (_, Metrics) = recorded(|| block_on(send_unsigned(world.verifier.clone())));
    assert_eq!(metrics.count("keywright_leak_report_refusals_total reason=header"), 1);
    assert_eq!(metrics.series().count(), 1, "no token was reported");
}
