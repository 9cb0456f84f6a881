//! A request that an outer guard accepts and an inner guard denies.

use keywright::Access;

use crate::exchange::Asked;
use crate::faces::Taken;
use crate::nested::{FRAMEWORKS, scope};
use crate::run;

#[test]
fn inner_denial_is_a_refused_use() {
    run(async |site| {
        let outer = site.guard().leave_access_to_handler();
        let inner = [
            ("its scope", scope(&outer, "invoices:write")),
            ("its access", site.guard().access(Access::ReadWrite)),
            ("its tenant", outer.clone().tenant_from(|_| Some("acme"))),
        ];
        for framework in FRAMEWORKS {
            for (what, inner) in &inner {
                let (uses, refused) = site.counted("reader").await;
                let asked = Asked::get().bearer(site.token("reader"));
                let answered = framework.ask(&outer, inner, Taken::Grant, &asked).await;
                assert!(answered.status == 401 || answered.status == 403, "{framework:?} {what}");
                let counted = site.counted("reader").await;
                assert_eq!(counted, (uses + 1, refused + 1), "{framework:?} {what}");
            }
        }
    });
}
