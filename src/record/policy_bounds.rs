//! The bounds of plans and settings, which hold under any plan. The constants of
//! [`Plan`](crate::Plan) make them public.

use std::time::Duration;

/// The highest possible number of live keys of one owner.
pub(super) const MAX_KEYS: u16 = 1_000;
/// The shortest retention of audit events.
pub(super) const MIN_EVENT_RETENTION: Duration = Duration::from_hours(24);
/// The highest number of roles in a plan.
pub(super) const MAX_ROLES: usize = 64;
/// The highest number of scopes in the catalog.
pub(super) const MAX_SCOPES: usize = 256;
