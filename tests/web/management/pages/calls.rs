//! Which method of the authority each route calls. A method that is renamed fails to compile here.

use std::time::Duration;

use keywright::Authority;

macro_rules! calls {
    ($($method:ident $route:literal)*) => {
        /// Asserts that a route calls this method of the authority.
        #[track_caller]
        pub(super) fn assert_call(method: &str, route: &str) {
            $(let _ = calls!(@method $method);)*
            let table = [$((stringify!($method), $route)),*];
            assert!(table.contains(&(method, route)), "{route} does not call {method}");
        }
    };
    // A method with a generic parameter has no path without its type.
    (@method rotate) => {
        |authority: &Authority, actor, key| drop(authority.rotate(actor, key, Duration::ZERO))
    };
    (@method $method:ident) => { Authority::$method };
}

calls! {
    generate "POST /keys"
    generate "POST /accounts/{id}/keys"
    keys "GET /keys"
    count_keys "GET /keys"
    abilities "GET /abilities"
    rename "PATCH /keys/{id}"
    edit "PATCH /keys/{id}"
    disable "POST /keys/{id}/disable"
    enable "POST /keys/{id}/enable"
    rotate "POST /keys/{id}/rotate"
    finish_rotation "POST /keys/{id}/finish-rotation"
    revoke "POST /keys/{id}/revoke"
    revoke_many "POST /keys/revoke"
    delete "DELETE /keys/{id}"
    accounts "GET /accounts"
    create_account "POST /accounts"
    edit_account "PATCH /accounts/{id}"
    disable_account "POST /accounts/{id}/disable"
    enable_account "POST /accounts/{id}/enable"
    delete_account "DELETE /accounts/{id}"
    policy "GET /policy"
    edit_settings "PATCH /settings"
    events "GET /events"
}
