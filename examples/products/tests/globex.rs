//! Globex: the console of the tenant, and the hub of a user.
