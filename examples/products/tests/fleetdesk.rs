//! Fleetdesk: service accounts.
